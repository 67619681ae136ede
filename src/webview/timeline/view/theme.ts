/** The colours of VS Code's theme, as numbers for images and texts for canvases; anew when the theme changes. */
import { families } from '../model/families';
import { mix, packColour } from '../model/image';
import { type Palette, rampOf } from '../model/paint';

export interface Theme {
  readonly palette: Palette;
  readonly background: string;
  readonly foreground: string;
  readonly muted: string;
  readonly line: string;
  readonly selection: string;
  readonly hover: string;
  readonly note: string;
  readonly error: string;
  readonly accent: string;
  readonly font: string;
  /** Text on a bar, by the bar's colour. */
  on(colour: number): string;
}

const probe = document.createElement('canvas');
probe.width = probe.height = 1;
const pixel = probe.getContext('2d', { willReadFrequently: true });

/** Any colour that CSS knows, over a background where it is not opaque. */
function parse(text: string, under: string): number {
  if (!pixel) return 0;
  pixel.fillStyle = under;
  pixel.fillRect(0, 0, 1, 1);
  pixel.fillStyle = text;
  pixel.fillRect(0, 0, 1, 1);
  const [red, green, blue] = pixel.getImageData(0, 0, 1, 1).data;
  return packColour(red, green, blue);
}

export const cssOf = (colour: number): string =>
  `rgb(${colour & 0xff},${(colour >>> 8) & 0xff},${(colour >>> 16) & 0xff})`;

/** Relative luminance, 0 to 1, as WCAG has it. */
function luminance(colour: number): number {
  const linear = (byte: number): number => {
    const part = byte / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return (
    0.2126 * linear(colour & 0xff) + 0.7152 * linear((colour >>> 8) & 0xff) + 0.0722 * linear((colour >>> 16) & 0xff)
  );
}

/** From here on black has the greater contrast, below it white. */
const BLACK_FROM = 0.179;

export function readTheme(): Theme {
  const style = getComputedStyle(document.body);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  const background = value('--canvas');
  const colour = (name: string): number => parse(value(name), background);
  const back = colour('--canvas');
  const font = `${value('--vscode-font-size') || '13px'} ${value('--vscode-font-family') || 'sans-serif'}`;
  return {
    palette: {
      background: back,
      lane: mix(back, colour('--text'), 0.1),
      families: families.map((family) => colour(`--family-${family}`)),
      error: colour('--failed'),
      good: colour('--family-read'),
      muted: mix(back, colour('--text'), 0.4),
      ramp: rampOf([colour('--quick'), colour('--middling'), colour('--slow')], 64),
      queued: mix(back, colour('--text'), 0.45),
      daemon: colour('--phase-daemon'),
      host: colour('--phase-host'),
      writing: colour('--phase-reply'),
    },
    background,
    foreground: value('--text'),
    muted: value('--faint'),
    line: value('--line'),
    selection: value('--chosen'),
    hover: value('--text'),
    note: value('--note'),
    error: value('--failed'),
    accent: value('--vscode-focusBorder') || value('--chosen'),
    font: font.replace(/^[\d.]+px/, '11px'),
    on: (bar) => (luminance(bar) > BLACK_FROM ? '#000000' : '#ffffff'),
  };
}

export function onThemeChange(act: () => void): void {
  const observer = new MutationObserver(act);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
}
