/** Host calls as a debugger is told of them: arguments as in a capture, with the paths that addresses point to. */
import type { Arena } from '../../base/arena';
import { hostCalls } from '../../protocol/hostCalls';
import { decodeText } from '../../protocol/text';

/** A `CallFacts` whose result is still to come. */
export interface CallNote {
  readonly call: number;
  readonly name: string;
  readonly arguments: readonly string[];
  readonly texts: readonly string[];
  readonly otherThread: boolean;
  result?: number;
  milliseconds?: number;
}

/** PATH_MAX. */
const LONGEST_TEXT = 4096;

export class CallNotes {
  constructor(private readonly arena: Arena) {}

  note(call: number, values: readonly number[], otherThread: boolean): CallNote {
    const row = hostCalls[call];
    const texts: string[] = [];
    const shown = row.arguments.map(({ kind }, index) => {
      const value = values[index] ?? 0;
      if (kind !== 'path') return String(BigInt(Math.trunc(value)));
      texts.push(this.textAt(value));
      return '0';
    });
    return { call, name: row.name, arguments: shown, texts, otherThread };
  }

  /** The text at a host address in the arena, up to its NUL; paths are nowhere else. */
  private textAt(address: number): string {
    const at = address - this.arena.base;
    const { u8 } = this.arena;
    if (!(at >= 0 && at < u8.length)) return '';
    const end = u8.indexOf(0, at);
    const length = Math.min(LONGEST_TEXT, (end < 0 ? u8.length : end) - at);
    return decodeText(u8, at, length);
  }
}
