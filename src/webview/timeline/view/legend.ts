/** What the colours of the lanes stand for, as they are chosen. */
import { families, familyTitles } from '../model/families';
import { el } from './dom';
import type { TimelineModel } from './model';

const item = (className: string, text: string, more = ''): HTMLElement =>
  el('span', { class: `legend-item ${more}` }, el('span', { class: `swatch ${className}` }), text);

function scale({ colour }: TimelineModel): HTMLElement[] {
  switch (colour) {
    case 'latency':
      return [el('span', { class: 'legend-item' }, '≤ 1 µs', el('span', { class: 'ramp' }), '≥ 100 ms')];
    case 'result':
      return [item('good', 'Answered'), item('error', 'Failed')];
    case 'opcode':
      return [...families.map((family) => item(`family-${family}`, familyTitles[family])), item('error', 'Failed')];
  }
}

export function legend(model: TimelineModel): HTMLElement {
  const element = el('div', { class: 'legend' });
  const fill = (): void =>
    element.replaceChildren(
      ...scale(model),
      item('open', 'In flight'),
      item('queued', 'Queued', 'phases-from'),
      item('daemon', 'In daemon'),
      item('host', 'Host calls'),
      item('reply', 'Reply'),
    );
  fill();
  model.on('look', fill);
  return element;
}
