/** What `trace` is told, and in part `export`, checked: throws a Trouble for what makes no sense. */
import { trouble } from '../base/catalogue';
import { follow, parseFollow } from '../trace/follow';
import type { TimeStyle } from '../trace/line';
import type { GroupBy } from '../trace/statistics';
import { coloured, plain, type Palette } from '../trace/palette';
import type { RowTest } from './rowFilter';

export interface TraceOptions {
  readonly filter?: string;
  readonly fields?: string;
  readonly follow: readonly string[];
  readonly stats?: string | true;
  readonly hex: boolean;
  readonly long: boolean;
  readonly syscalls: boolean;
  readonly control: boolean;
  readonly json: boolean;
  readonly color: 'auto' | 'always' | 'never';
  readonly limit?: string;
  readonly time: TimeStyle;
  readonly findings: boolean;
  readonly tail: boolean;
}

/**
 * Colours where they are asked for, or standard output is a terminal and NO_COLOR is not set (https://no-color.org).
 */
export function paletteOf(choice: TraceOptions['color']): Palette {
  if (choice !== 'auto') return choice === 'always' ? coloured : plain;
  return coloursWanted() ? coloured : plain;
}

export function coloursWanted(): boolean {
  const refused = (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
  return process.stdout.isTTY && !refused;
}

export function limitOf(text: string | undefined): number {
  if (text === undefined) return Infinity;
  if (!/^\d{1,15}$/.test(text) || Number(text) === 0)
    throw trouble('viewOptionBad', 'trace', '--limit', text, 'a number from 1 to 999999999999999');
  return Number(text);
}

/** Rows that pass any of them; undefined when none is named. */
export function followed(command: 'trace' | 'export', texts: readonly string[]): RowTest | undefined {
  const tests = texts.map((text) => {
    const parsed = parseFollow(text);
    if (!parsed) throw trouble('viewOptionBad', command, '--follow', text, 'inode=N, fh=N or pid=N');
    return follow(parsed);
  });
  return tests.length === 0 ? undefined : (capture, row) => tests.some((test) => test(capture, row));
}

/** What `--stats` groups by; undefined without it. */
export function groupsOf(by: string | true | undefined): GroupBy | undefined {
  if (by === undefined || by === true) return by && 'opcode';
  if (isGroup(by)) return by;
  throw trouble('viewOptionBad', 'trace', '--stats', by, 'opcode, path or process');
}

export const isGroup = (text: string): text is GroupBy => text === 'opcode' || text === 'path' || text === 'process';
