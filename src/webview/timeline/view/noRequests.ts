/**
 * What stands where requests would be, in lanes, table and statistics alike: why there are none, and, where that is the
 * filter's doing, the way out of it.
 */
import type { TimelineCapture } from '../model/capture';
import { el } from './dom';
import type { TimelineModel } from './model';

export interface NoRequestsParts {
  readonly model: TimelineModel;
  /** Those whose requests would be seen here. */
  captures(): readonly TimelineCapture[];
  clearFilter(): void;
}

export class NoRequests {
  readonly element: HTMLElement;
  private readonly text = el('p');
  private readonly wayOut: HTMLElement;

  constructor(private readonly parts: NoRequestsParts) {
    const clear = el('button', { type: 'button', class: 'link' }, 'Clear the filter');
    clear.addEventListener('click', () => parts.clearFilter());
    this.wayOut = el('p', { hidden: true }, clear, ' (Esc)');
    this.element = el('div', { class: 'empty no-requests' }, this.text, this.wayOut);
    parts.model.on('rows', () => this.show());
    parts.model.on('state', () => this.show());
    this.show();
  }

  /** Also when other captures are looked at. */
  show(): void {
    const captures = this.parts.captures();
    const there = captures.some(({ shown }) => shown > 0);
    this.element.hidden = there;
    if (there) return;
    const filtered = captures.some(({ rows }) => rows.count > 0);
    this.wayOut.hidden = !filtered;
    const text = this.why(filtered);
    if (this.text.textContent !== text) this.text.textContent = text;
  }

  private why(filtered: boolean): string {
    const { model } = this.parts;
    if (!model.complete) return 'Reading…';
    if (filtered) return 'No request passes the filter.';
    return model.live ? 'No requests yet.' : 'There are no requests in this capture.';
  }
}
