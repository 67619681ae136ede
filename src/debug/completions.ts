/**
 * What can be written in the debug console: its commands, and behind them what the filter language offers.
 */
import { errnos } from '../protocol/errno';
import { complete } from '../trace/filter/complete';
import { consoleCommands } from './console';

export interface Offer {
  readonly label: string;
  readonly kind: 'command' | 'field' | 'value' | 'operator';
  readonly detail: string;
  /** The range that it replaces. */
  readonly from: number;
  readonly to: number;
}

/** `cursor`: characters before it. */
export function offers(text: string, cursor: number): Offer[] {
  const head = text.slice(0, cursor);
  const answer = /^\s*answer\s+(\w*)$/.exec(head);
  if (answer) {
    return errnos.rows
      .filter(({ name }) => name.startsWith(answer[1].toUpperCase()))
      .map(({ name, doc }) => ({
        label: name,
        kind: 'value',
        detail: doc,
        from: cursor - answer[1].length,
        to: cursor,
      }));
  }
  const word = /^\s*(\w*)$/.exec(head);
  const commands: Offer[] =
    word === null
      ? []
      : consoleCommands
          .filter(({ name }) => name.startsWith(word[1]))
          .map(({ name, doc }) => ({
            label: name,
            kind: 'command',
            detail: doc,
            from: cursor - word[1].length,
            to: cursor,
          }));
  const before = /^\s*(?:set\s+|hex\s*\(\s*)/.exec(head)?.[0].length ?? 0;
  const filter = complete(text.slice(before), cursor - before).map(({ label, kind, detail, from, to }): Offer => ({
    label,
    kind: kind === 'field' || kind === 'opcode' ? 'field' : kind === 'value' || kind === 'unit' ? 'value' : 'operator',
    detail,
    from: from + before,
    to: to + before,
  }));
  return [...commands, ...filter];
}
