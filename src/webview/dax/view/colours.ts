/** The page's colours, read from its style sheet; anew when the theme changes. */
import { type Colouring, FILE_SHADES } from '../model/shades';

export interface Colours {
  readonly canvas: string;
  readonly free: string;
  readonly freeLine: string;
  readonly focus: string;
  readonly found: string;
  readonly occupied: string;
  readonly mapped: string;
  readonly unmapped: string;
  readonly ruled: boolean;
  of(by: Colouring, shade: number): string;
}

export function readColours(): Colours {
  const style = getComputedStyle(document.body);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  const files = Array.from({ length: FILE_SHADES }, (_, index) => value(`--file-${index}`));
  const access = [value('--read'), value('--write')];
  const steps = Array.from({ length: 6 }, (_, index) => value(`--step-${index}`));
  // What is old is cold, what is used over and over is hot.
  const ages = [...steps].reverse();
  return {
    canvas: value('--canvas'),
    free: value('--free'),
    freeLine: value('--free-line'),
    focus: value('--focus'),
    found: value('--found'),
    occupied: value('--occupied'),
    mapped: value('--mapped'),
    unmapped: value('--unmapped'),
    ruled: /high-contrast/.test(document.body.className),
    of: (by, shade) => ({ file: files, access, age: ages, churn: steps })[by][shade] ?? files[0],
  };
}
