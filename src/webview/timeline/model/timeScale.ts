/** The part of time that is in view, and what is drawn along it: zooming, panning, ticks and their texts. */
import { printDuration } from '../../../trace/times';

/** Nanoseconds after the origin. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The shortest span that can be shown. */
export const SHORTEST = 200;

export const lengthOf = ({ from, to }: Span): number => to - from;

/** `span` moved and cut so that it lies within `whole`, which may be somewhat passed at both ends. */
export function within(span: Span, whole: Span): Span {
  const margin = Math.max(lengthOf(whole) * 0.02, 1000);
  const least = whole.from - margin;
  const most = whole.to + margin;
  const length = Math.min(Math.max(lengthOf(span), SHORTEST), most - least);
  const from = Math.min(Math.max(span.from, least), most - length);
  return { from, to: from + length };
}

/** Zoomed so that `at` stays where it is; a factor below 1 shows less. */
export function zoomed(span: Span, factor: number, at: number, whole: Span): Span {
  const length = Math.max(lengthOf(span) * factor, SHORTEST);
  const part = lengthOf(span) === 0 ? 0.5 : (at - span.from) / lengthOf(span);
  const from = at - part * length;
  return within({ from, to: from + length }, whole);
}

export const panned = (span: Span, by: number, whole: Span): Span =>
  within({ from: span.from + by, to: span.to + by }, whole);

/**
 * Shows what is between `from` and `to` without changing the length; unchanged when it is well in view. Beyond the ends
 * of the whole there is nothing to make room for.
 */
export function showing(span: Span, from: number, to: number, whole: Span): Span {
  const length = lengthOf(span);
  const edge = length * 0.05;
  const first = whole.from < span.from ? span.from + edge : Math.min(span.from + edge, whole.from);
  const last = whole.to > span.to ? span.to - edge : Math.max(span.to - edge, whole.to);
  if (from >= first && Math.min(to, from + length / 2) <= last) return span;
  return within({ from: from - length * 0.35, to: from + length * 0.65 }, whole);
}

/** 1, 2 or 5 times a power of ten: the least step that is no shorter than `least`. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-9)));
  for (const factor of [1, 2, 5]) if (power * factor >= least) return power * factor;
  return power * 10;
}

export interface Ticks {
  readonly step: number;
  /** The first one in view. */
  readonly first: number;
  readonly count: number;
}

/** Ticks at least `apart` pixels from each other. */
export function ticksOf(span: Span, width: number, apart: number): Ticks {
  const step = Math.max(1, niceStep((lengthOf(span) * apart) / Math.max(1, width)));
  const first = Math.ceil(span.from / step) * step;
  return { step, first, count: Math.max(0, Math.floor((span.to - first) / step) + 1) };
}

const units = [
  { size: 1e9, name: 's' },
  { size: 1e6, name: 'ms' },
  { size: 1e3, name: 'µs' },
  { size: 1, name: 'ns' },
] as const;

/** From this step on the ticks of a ruler say their moment itself. */
const WHOLE_FROM = 1e6;

const distanceUnit = (step: number): (typeof units)[number] =>
  step >= 1e3 ? units[1] : step >= 1 ? units[2] : units[3];

/** The moment that the distance of a tick is counted from; undefined where ticks have none. */
export function tickBase(at: number, step: number): number | undefined {
  if (step >= WHOLE_FROM) return undefined;
  const base = distanceUnit(step).size * 1000;
  return Math.floor(at / base) * base;
}

/**
 * A moment on a ruler with that step: in seconds, as long as its digits can be read, else as a distance from the whole
 * unit before: `12.345 s`, `+678.9 µs`.
 */
export function tickText(at: number, step: number): { text: string; whole: boolean } {
  const base = tickBase(at, step);
  if (base === undefined) {
    const digits = Math.max(0, Math.ceil(9 - Math.log10(step) - 1e-9));
    return { text: `${(at / 1e9).toFixed(digits)} s`, whole: true };
  }
  const unit = distanceUnit(step);
  const rest = at - base;
  const within = Math.max(0, Math.ceil(Math.log10(unit.size / step) - 1e-9));
  if (rest < step / 2) return { text: seconds(at), whole: true };
  return { text: `+${(rest / unit.size).toFixed(within)} ${unit.name}`, whole: false };
}

/** Seconds with as many digits as are not zero, three at least. */
export function seconds(at: number): string {
  const text = (at / 1e9).toFixed(9).replace(/(\.\d{3}(\d{3})*?)(000)+$/, '$1');
  return `${text} s`;
}

/** Where a span begins, as exactly as its length makes a difference, and how long it is, in words. */
export function spanWords(span: Span): { readonly from: string; readonly length: string } {
  const length = lengthOf(span);
  const least = 10 ** Math.max(0, Math.floor(Math.log10(length)) - 3);
  return { from: seconds(Math.max(0, Math.round(span.from / least) * least)), length: printDuration(length) };
}

/** `at` as a place among `width` pixels. */
export const placeOf = (at: number, span: Span, width: number): number => ((at - span.from) / lengthOf(span)) * width;
export const timeAt = (x: number, span: Span, width: number): number => span.from + (x / width) * lengthOf(span);
