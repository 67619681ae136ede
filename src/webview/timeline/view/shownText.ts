/** What is shown in words, beside the picture of it: how many requests, and which part of time. */
import { spanWords } from '../model/timeScale';
import { requestsText, thousands } from '../../../trace/countText';
import { el, paced, set } from './dom';
import type { TimelineModel } from './model';

export class ShownText {
  readonly count = el('span', { class: 'count', role: 'status' });
  readonly range = el('span', { class: 'range' });

  constructor(private readonly model: TimelineModel) {
    const showRange = paced(250, () => this.showRange());
    model.on('span', () => {
      // In motion the text is behind the picture.
      set(this.range, { 'data-late': true });
      showRange();
    });
    model.on('rows', () => this.showCount());
    model.on('state', () => this.showCount());
  }

  private showCount(): void {
    const { captures } = this.model;
    const total = captures.reduce((sum, { rows }) => sum + rows.count, 0);
    const shown = captures.reduce((sum, capture) => sum + capture.shown, 0);
    const text = shown === total ? requestsText(total) : `${thousands(shown)} of ${thousands(total)}`;
    if (this.count.textContent !== text) this.count.textContent = text;
  }

  private showRange(): void {
    const { span, empty } = this.model;
    const { from, length } = spanWords(span);
    this.range.textContent = empty ? '' : `${from} + ${length}`;
    set(this.range, { 'data-late': false });
  }
}
