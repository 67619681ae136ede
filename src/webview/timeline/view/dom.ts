/** Elements made in one expression. Texts are always texts: nothing here takes markup. */

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string | undefined;

export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** Sets attributes; `false` and undefined take them away, `true` sets an empty one. */
export function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

const SVG = 'http://www.w3.org/2000/svg';

/** Line drawings of 16 by 16. */
const drawings = {
  fit: 'M2 3v10M14 3v10M5 8h6M5 8l2-2M5 8l2 2M11 8l-2-2M11 8l-2 2',
  pause: 'M5.5 3v10M10.5 3v10',
  play: 'M5 3l8 5-8 5z',
  note: 'M4 2h8v12l-4-3-4 3z',
  export: 'M8 2v8M8 10l-3-3M8 10l3-3M3 13h10',
  compare: 'M2 4h12M2 7h7M2 10h12M2 13h5',
  help: 'M6 6a2 2 0 1 1 3 1.7c-.7.5-1 .9-1 1.8M8 12v.5',
  close: 'M4 4l8 8M12 4l-8 8',
  zoomIn: 'M7 4v6M4 7h6M10.5 10.5L14 14M7 2a5 5 0 1 0 0 10a5 5 0 1 0 0-10',
  zoomOut: 'M4 7h6M10.5 10.5L14 14M7 2a5 5 0 1 0 0 10a5 5 0 1 0 0-10',
  right: 'M6 4l4 4-4 4',
  warning: 'M8 2l6.5 12h-13zM8 6.5v3.5M8 12v.5',
  trash: 'M3 4h10M6 4V2.5h4V4M4.5 4l.5 9.5h6l.5-9.5',
} as const;

export type IconName = keyof typeof drawings;

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  set(svg, { viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true', class: 'icon' });
  const path = document.createElementNS(SVG, 'path');
  set(path, { d: drawings[name] });
  svg.append(path);
  return svg;
}

export function button(title: string, name: IconName, act: () => void, keys?: string): HTMLButtonElement {
  const hint = keys === undefined ? title : `${title} (${keys})`;
  const element = el('button', { type: 'button', class: 'icon-button', title: hint, 'aria-label': title }, icon(name));
  element.addEventListener('click', act);
  return element;
}

/** A choice of few, with its caption. */
export function choice<Value extends string>(
  caption: string,
  options: readonly (readonly [Value, string])[],
  value: Value,
  chosen: (value: Value) => void,
): { element: HTMLElement; select: HTMLSelectElement } {
  const select = el(
    'select',
    { 'aria-label': caption },
    ...options.map(([name, text]) => el('option', { value: name, selected: name === value }, text)),
  );
  select.addEventListener('change', () => {
    const [picked] = options.find(([name]) => name === select.value) ?? [];
    if (picked !== undefined) chosen(picked);
  });
  return { element: el('label', { class: 'choice' }, el('span', { class: 'caption' }, caption), select), select };
}

/** Runs at most once a frame, however often it is asked for. */
export function eachFrame(act: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      act();
    });
  };
}

/** Runs when nobody has asked for `milliseconds`. Asked every frame it costs a look at the clock, not a timer. */
export function afterPause(milliseconds: number, act: () => void): () => void {
  let due = 0;
  let waiting = false;
  const wait = (): void => {
    window.setTimeout(() => {
      if (performance.now() < due) return wait();
      waiting = false;
      act();
    }, due - performance.now());
  };
  return () => {
    due = performance.now() + milliseconds;
    if (waiting) return;
    waiting = true;
    wait();
  };
}

/**
 * Runs with the first time it is asked, and while more is asked only so often: for texts that nobody reads in motion.
 */
export function paced(milliseconds: number, act: () => void): () => void {
  let resting = false;
  let again = false;
  return function ask(): void {
    again = resting;
    if (resting) return;
    resting = true;
    act();
    window.setTimeout(() => {
      resting = false;
      if (again) ask();
    }, milliseconds);
  };
}

export function reducedMotion(): boolean {
  return (
    document.body.classList.contains('vscode-reduce-motion') || matchMedia('(prefers-reduced-motion: reduce)').matches
  );
}
