/** What lies under the pointer, in a few words. */
import { PART, queuedTime } from '../../../control/timelineRows';
import { errorName, opcodeName } from '../model/families';
import { el } from './dom';
import { printDuration, printWait } from '../../../trace/times';
import type { Selected, TimelineModel } from './model';
import type { PathTexts } from './pathTexts';

export class Tooltip {
  readonly element = el('div', { class: 'tooltip', role: 'tooltip', hidden: true, 'aria-hidden': 'true' });

  constructor(
    private readonly model: TimelineModel,
    private readonly paths: PathTexts,
  ) {}

  show(selected: Selected | undefined, event: PointerEvent | undefined): void {
    this.element.hidden = !selected || !event;
    if (!selected || !event) return;
    const { side, row } = selected;
    const { rows } = this.model.captures[side];
    const { opcode, path, latency, error, start, queued, host, writing, held, pid, queue } = rows.columns;
    const failed = error[row] < 0 ? ` ${errorName(error[row])}` : '';
    const time = latency[row];
    const phases = [
      ['queued', queuedTime(queued[row])],
      ['daemon', time * Math.max(0, 1 - (host[row] + writing[row] + held[row]) / PART)],
      ['held', (time * held[row]) / PART],
      ['host', (time * host[row]) / PART],
      ['reply', (time * writing[row]) / PART],
    ] as const;
    this.element.replaceChildren(
      el(
        'div',
        { class: 'tooltip-head' },
        el('strong', {}, opcodeName(opcode[row])),
        el('span', { class: 'failed' }, failed),
        el('span', { class: 'took' }, time >= 0 ? printDuration(time) : rows.missing(row)),
      ),
      el('div', { class: 'tooltip-path' }, this.paths.get(side, path[row]) ?? ''),
      el('div', { class: 'doc' }, `${(start[row] / 1e9).toFixed(6)} s · queue ${queue[row]} · pid ${pid[row]}`),
      el(
        'div',
        { class: 'doc', hidden: !(time >= 0) },
        phases
          .filter(([, length]) => length > 0)
          .map(([name, length]) => `${name} ${name === 'queued' ? printWait(length) : printDuration(length)}`)
          .join(' · '),
      ),
    );
    const { innerWidth, innerHeight } = window;
    const { offsetWidth, offsetHeight } = this.element;
    const x = event.clientX + 14 + offsetWidth > innerWidth ? event.clientX - offsetWidth - 10 : event.clientX + 14;
    const y = event.clientY + 18 + offsetHeight > innerHeight ? event.clientY - offsetHeight - 10 : event.clientY + 18;
    this.element.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, y)}px)`;
  }
}
