/** How well texts of a page can be read on what is behind them, as WCAG measures it. */
import type { Locator } from 'playwright-core';

type Colour = readonly number[];

/** As WCAG has it: 1 to 21. */
export function contrast(one: Colour, other: Colour): number {
  const luminance = (colour: Colour): number => {
    const [r, g, b] = colour.map((byte) => (byte <= 10 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

/** As much of the DOM as is asked here, where there is none. */
interface Styled {
  readonly color: string;
  readonly backgroundColor: string;
  readonly opacity: string;
  getPropertyValue(name: string): string;
}
interface Part {
  readonly parentElement: Part | null;
  readonly className: string;
  readonly textContent: string;
  readonly childNodes: Iterable<{ readonly nodeType: number; readonly textContent: string }>;
  matches(selector: string): boolean;
  checkVisibility(options: object): boolean;
  querySelectorAll(selector: string): Iterable<Part>;
}

export interface ReadableText {
  readonly text: string;
  /** Its element's classes, so that a poor one is found. */
  readonly classes: string;
  readonly contrast: number;
}

/**
 * Each text that is shown inside of `parts`, with the contrast of its colour to what it is on. What cannot be used now
 * may be pale. `below`: the theme's name of the colour on which the page is laid.
 */
export async function textsIn(parts: Locator, below: string): Promise<ReadableText[]> {
  const seen = await parts.evaluateAll((all, base) => {
    const styleOf = (globalThis as unknown as { getComputedStyle(of: Part): Styled }).getComputedStyle;
    const root = styleOf(all[0] as unknown as Part)
      .getPropertyValue(`--vscode-${base}`)
      .trim();
    const numbers = (colour: string): number[] => [...colour.matchAll(/[\d.]+/g)].map(Number);
    /** `colour` as it looks on `below`. */
    const over = ([r, g, b, alpha = 1]: number[], below: number[], opacity = 1): number[] =>
      [r, g, b].map((value, at) => value * alpha * opacity + below[at] * (1 - alpha * opacity));
    const behind = (part: Part | null): number[] =>
      part
        ? over(numbers(styleOf(part).backgroundColor), behind(part.parentElement))
        : [1, 3, 5].map((at) => parseInt(root.slice(at, at + 2), 16));
    const opacity = (part: Part | null): number =>
      part ? Number(styleOf(part).opacity) * opacity(part.parentElement) : 1;
    return (all as unknown as Part[])
      .flatMap((root) => [...root.querySelectorAll('*')])
      .filter(({ childNodes }) => [...childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== ''))
      .filter((part) => !part.matches(':disabled'))
      .filter((part) => part.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
      .map((part) => {
        const back = behind(part);
        const { textContent: text, className: classes } = part;
        return { text, classes, back, colour: over(numbers(styleOf(part).color), back, opacity(part)) };
      });
  }, below);
  return seen.map(({ text, classes, back, colour }) => ({ text, classes, contrast: contrast(colour, back) }));
}
