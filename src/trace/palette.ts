/** Colours of trace lines, by what a word is; without colours each is empty. Codes of ECMA-48, eight colours only. */
export interface Palette {
  readonly dim: string;
  readonly opcode: string;
  readonly path: string;
  readonly fault: string;
  readonly answer: string;
  readonly note: string;
  /** Ends each of them. */
  readonly end: string;
}

export const plain: Palette = { dim: '', opcode: '', path: '', fault: '', answer: '', note: '', end: '' };

export const coloured: Palette = {
  dim: '\x1b[2m',
  opcode: '\x1b[1;36m',
  path: '\x1b[32m',
  fault: '\x1b[1;31m',
  answer: '\x1b[34m',
  note: '\x1b[33m',
  end: '\x1b[0m',
};

export function paint(palette: Palette, colour: Exclude<keyof Palette, 'end'>, text: string): string {
  return text === '' ? '' : palette[colour] + text + palette.end;
}
