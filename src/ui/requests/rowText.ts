/** What one request is called in a tree, from its columns and, where that says more, its arguments. Pure. */
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { printId } from '../../protocol/print';
import { visible } from '../../protocol/text';
import { DROPPED, type Capture } from '../../trace/capture';
import { isExpected } from '../../trace/expectedErrors';
import { argumentsOf, errorName, isDropped, isInFlight, isOrphan, kindOf } from '../../trace/line';
import { pathParts } from '../../trace/pathParts';
import type { Grouping } from '../../trace/requestGroups';
import { printDuration, printSeconds } from '../../trace/times';
import { sizeText } from '../../trace/sizeText';

export interface RowText {
  readonly label: string;
  readonly description: string;
  readonly icon: string;
  /** failed: an error or a dropped reply. expected: one that programs provoke all the time. waiting: no reply yet. */
  readonly mood: 'fine' | 'expected' | 'failed' | 'waiting';
}

const icons: ReadonlyMap<number, string> = new Map([
  [Opcode.LOOKUP, 'search'],
  [Opcode.FORGET, 'dash'],
  [Opcode.BATCH_FORGET, 'dash'],
  [Opcode.GETATTR, 'info'],
  [Opcode.STATX, 'info'],
  [Opcode.SETATTR, 'edit'],
  [Opcode.READ, 'arrow-down'],
  [Opcode.WRITE, 'arrow-up'],
  [Opcode.OPEN, 'file'],
  [Opcode.CREATE, 'new-file'],
  [Opcode.TMPFILE, 'new-file'],
  [Opcode.RELEASE, 'close'],
  [Opcode.OPENDIR, 'folder-opened'],
  [Opcode.RELEASEDIR, 'close'],
  [Opcode.READDIR, 'list-flat'],
  [Opcode.READDIRPLUS, 'list-flat'],
  [Opcode.MKDIR, 'new-folder'],
  [Opcode.UNLINK, 'trash'],
  [Opcode.RMDIR, 'trash'],
  [Opcode.RENAME, 'arrow-swap'],
  [Opcode.RENAME2, 'arrow-swap'],
  [Opcode.SYMLINK, 'link'],
  [Opcode.LINK, 'link'],
  [Opcode.READLINK, 'link'],
  [Opcode.FSYNC, 'save'],
  [Opcode.FSYNCDIR, 'save'],
  [Opcode.FLUSH, 'save'],
  [Opcode.SYNCFS, 'save-all'],
  [Opcode.GETLK, 'lock'],
  [Opcode.SETLK, 'lock'],
  [Opcode.SETLKW, 'lock'],
  [Opcode.GETXATTR, 'tag'],
  [Opcode.SETXATTR, 'tag'],
  [Opcode.LISTXATTR, 'tag'],
  [Opcode.REMOVEXATTR, 'tag'],
  [Opcode.INIT, 'plug'],
  [Opcode.DESTROY, 'debug-disconnect'],
  [Opcode.STATFS, 'database'],
]);

export const opcodeIcon = (opcode: number): string => icons.get(opcode) ?? 'circle-small';

export function rowText(capture: Capture, row: number, within: Grouping): RowText {
  const { columns } = capture;
  const kind = kindOf(capture, row);
  const path = capture.path(columns.path[row]);
  const error = errorName(capture, row);
  const dropped = isDropped(capture, row);
  const waiting = isInFlight(capture, row) && !dropped;
  // What matters most first: of a narrow view the end is cut off.
  const facts: string[] = [];
  if (error !== '') facts.push(error);
  if (dropped) facts.push(DROPPED);
  if (waiting) facts.push('in flight');
  if (!Number.isNaN(columns.latency[row]) && !isOrphan(capture, row)) facts.push(printDuration(columns.latency[row]));
  if (within === 'file') facts.push(...argumentsFor(capture, row, path));
  else if (columns.payload[row] > 0) facts.push(sizeText(columns.payload[row]));
  const about = path === '' ? unnamed(capture, row) : visible(path);
  const { name, folder } = pathParts(about);
  const label = within === 'file' || about === '' ? kind : within === 'opcode' ? name : `${kind} ${name}`;
  if (within === 'file' || within === 'opcode') facts.push(`${printSeconds(columns.start[row])} s`);
  if (within !== 'file' && folder !== '') facts.push(folder);
  return {
    label,
    description: facts.join(' · '),
    icon: error !== '' || dropped ? 'error' : waiting ? 'watch' : opcodeIcon(columns.opcode[row]),
    mood: waiting
      ? 'waiting'
      : error === '' && !dropped
        ? 'fine'
        : error !== '' && isExpected(columns.opcode[row], columns.error[row])
          ? 'expected'
          : 'failed',
  };
}

/** The arguments, as far as a line of a tree has room for them. */
function argumentsFor(capture: Capture, row: number, path: string): string[] {
  const request = capture.request(row);
  const text = request ? argumentsOf(request, path, capture.path(capture.columns.otherPath[row])).join(' ') : '';
  return text === '' ? [] : [text.length > 60 ? `${text.slice(0, 59)}…` : text];
}

/** By its number, with all 64 bits. */
function unnamed(capture: Capture, row: number): string {
  const nodeid = capture.request(row)?.nodeid ?? 0n;
  return nodeid === 0n ? '' : `nodeid ${printId(nodeid)}`;
}
