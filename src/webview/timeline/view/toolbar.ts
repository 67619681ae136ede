/** The tools beside the filter: how lanes are drawn, what part of time is seen, and what can be done with a capture. */
import type { Grouping } from '../model/lanes';
import { lengthOf } from '../model/timeScale';
import { button, choice, el } from './dom';
import type { LanesInput } from './lanesInput';
import type { TimelineModel } from './model';

export interface ToolbarParts {
  readonly model: TimelineModel;
  readonly input: LanesInput;
  /** Of a capture that grows. */
  readonly pause: HTMLElement;
  /** How lanes are drawn is another now. */
  changed(): void;
  note(): void;
  compare(): void;
  export(): void;
  help(): void;
}

export function toolbar({ model, input, pause, changed, ...act }: ToolbarParts): HTMLElement {
  const lanesBy = choice<Grouping>(
    'Lanes',
    [
      ['queue', 'Queue'],
      ['process', 'Process'],
      ['file', 'File'],
      ['opcode', 'Opcode'],
    ],
    model.grouping,
    (grouping) => {
      model.setGrouping(grouping);
      changed();
    },
  );
  const colour = choice(
    'Color',
    [
      ['opcode', 'Opcode'],
      ['latency', 'Latency'],
      ['result', 'Result'],
    ] as const,
    model.colour,
    (by) => {
      model.colour = by;
      model.tell('look');
      changed();
    },
  );
  const height = choice(
    'Height',
    [
      ['overlap', 'Overlap'],
      ['latency', 'Latency'],
    ] as const,
    model.height,
    (by) => {
      model.height = by;
      model.tell('look');
      changed();
    },
  );
  const zoom = (factor: number): void => {
    const { from, to } = model.span;
    const middle = (from + to) / 2;
    const length = lengthOf(model.span) * factor;
    input.glide({ from: middle - length / 2, to: middle + length / 2 });
  };
  const zoomButtons = [
    button('Zoom out', 'zoomOut', () => zoom(2), '−'),
    button('Zoom in', 'zoomIn', () => zoom(0.5), '+'),
  ];
  for (const each of zoomButtons) each.classList.add('zoom-button');
  return el(
    'div',
    { class: 'tools', role: 'toolbar', 'aria-label': 'Timeline' },
    lanesBy.element,
    colour.element,
    height.element,
    el('span', { class: 'gap' }),
    pause,
    ...zoomButtons,
    button('Show everything', 'fit', () => input.fit(), '0'),
    button('Add a note', 'note', () => act.note(), 'B'),
    button('Compare with another capture', 'compare', () => act.compare()),
    button('Export what is shown', 'export', () => act.export()),
    button('Keys', 'help', () => act.help(), '?'),
  );
}
