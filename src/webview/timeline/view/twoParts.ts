/** The room below the bar: the timeline above, tables and details beside each other below, and bars that divide it. */
import { el } from './dom';
import { splitter } from './splitter';

/** What part of the room the lower half has, and what part of that the details have. */
export interface Shares {
  readonly below: number;
  readonly beside: number;
}

export interface TwoParts {
  readonly upper: readonly Node[];
  readonly lower: readonly Node[];
  readonly details: HTMLElement;
  readonly shares: Shares;
  changed(shares: Shares): void;
}

export function twoParts({ upper, lower: tabs, details, shares, changed }: TwoParts): HTMLElement {
  let now = shares;
  const divide = (parent: HTMLElement, which: keyof Shares, value: number): void => {
    now = { ...now, [which]: value };
    parent.style.setProperty(`--${which}`, String(value));
    changed(now);
  };
  const frame = el('div', { class: 'frame' });
  const lower = el('div', { class: 'lower' });
  lower.append(
    el('section', { class: 'tabs-frame', 'aria-label': 'Requests' }, ...tabs),
    splitter(lower, {
      label: 'Width of the details',
      direction: 'vertical',
      value: shares.beside,
      least: 0.2,
      most: 0.75,
      changed: (value) => divide(lower, 'beside', value),
    }),
    details,
  );
  frame.append(
    el('section', { class: 'upper', 'aria-label': 'Timeline' }, ...upper),
    splitter(frame, {
      label: 'Height of the lower part',
      direction: 'horizontal',
      value: shares.below,
      least: 0.15,
      most: 0.85,
      changed: (value) => divide(frame, 'below', value),
    }),
    lower,
  );
  return frame;
}
