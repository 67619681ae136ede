/**
 * Where notes are, as it is kept and as a view has it.
 *
 * A view counts times from the capture's first packet and rows from its first request. Both move when `FILE.old` is
 * read in front of a file, or is gone. What is kept says it besides by what does not move: the time since the epoch,
 * and of a request its queue and `unique`. Notes of earlier versions lack that, and are where their row and time say.
 */
import { isNote, MOST_NOTES, type Note } from '../../control/timeline';
import { InHeader, OutHeader } from '../../protocol/fuse/structs';
import type { Capture } from '../../trace/capture';
import { isOrphan } from '../../trace/line';

export interface KeptNote extends Note {
  /** Nanoseconds since the epoch, in decimal. */
  readonly time?: string;
  /** The request taken then. */
  readonly request?: { readonly queue: number; readonly unique: string };
}

const isNumber = (value: unknown): boolean => typeof value === 'string' && /^-?\d{1,20}$/.test(value);

function isKeptNote(value: unknown): value is KeptNote {
  if (!isNote(value)) return false;
  const { time, request } = value as { readonly time?: unknown; readonly request?: unknown };
  if (time !== undefined && !isNumber(time)) return false;
  if (request === undefined) return true;
  if (typeof request !== 'object' || request === null) return false;
  const { queue, unique } = request as Record<string, unknown>;
  return time !== undefined && typeof queue === 'number' && isNumber(unique);
}

export const areKeptNotes = (value: unknown): value is readonly KeptNote[] =>
  Array.isArray(value) && value.length <= MOST_NOTES && value.every(isKeptNote);

/** What is to be kept of a view's notes; `before`: what is kept by now, which knows better where those are. */
export function keptNotes(capture: Capture, notes: readonly Note[], before: readonly KeptNote[]): KeptNote[] {
  const known = new Map(before.map((note) => [note.id, note]));
  return notes.map((note) => {
    const kept = known.get(note.id);
    return kept?.time === undefined ? { ...note, ...placeOf(capture, note) } : { ...kept, ...note };
  });
}

function placeOf(capture: Capture, { at, row }: Note): Pick<KeptNote, 'time' | 'request'> {
  // Without a packet there is no origin yet.
  if (capture.count === 0) return {};
  const time = String(capture.origin + BigInt(Math.round(at)));
  if (row === undefined) return { time };
  // One of an earlier version that is of another time than its row: it was made on something else.
  if (row >= capture.count || Math.round(capture.columns.start[row]) !== Math.round(at)) return {};
  const unique = uniqueOf(capture, row);
  return unique === undefined ? {} : { time, request: { queue: capture.columns.queue[row], unique } };
}

/** The same for a view. One whose request is not there (yet) has no row. */
export function placedNotes(capture: Capture, notes: readonly KeptNote[]): Note[] {
  const rows = rowsOf(capture, notes);
  return notes.map(({ id, at, row, text, time, request }) => {
    const now = request ? rows.get(id) : row;
    const moment = time === undefined || capture.count === 0 ? at : Number(BigInt(time) - capture.origin);
    return { id, at: moment, text, ...(now !== undefined && { row: now }) };
  });
}

/** By the note's `id`: the row of its request. Each row is read once, however many notes are of its moment. */
function rowsOf(capture: Capture, notes: readonly KeptNote[]): Map<string, number> {
  const { count, origin, columns } = capture;
  const found = new Map<string, number>();
  const starts = new Set<number>();
  const places = new Map<string, { readonly moment: string; readonly request: string }>();
  for (const { id, time, request } of notes) {
    if (!request || time === undefined) continue;
    const start = Number(BigInt(time) - origin);
    const moment = `${start} ${request.queue}`;
    starts.add(start);
    places.set(id, { moment, request: `${moment} ${request.unique}` });
  }
  if (starts.size === 0) return found;
  const wanted = new Set([...places.values()].flatMap(({ moment, request }) => [moment, request]));
  /** The row of a request, or, where nobody can say any more which one it is, of its moment and queue. */
  const rows = new Map<string, number>();
  for (let row = 0; row < count; row++) {
    const start = columns.start[row];
    if (!starts.has(start)) continue;
    const moment = `${start} ${columns.queue[row]}`;
    if (!wanted.has(moment)) continue;
    const unique = uniqueOf(capture, row);
    const place = unique === undefined ? moment : `${moment} ${unique}`;
    if (wanted.has(place)) rows.set(place, row);
  }
  for (const [id, { moment, request }] of places) {
    const row = rows.get(request) ?? rows.get(moment);
    if (row !== undefined) found.set(id, row);
  }
  return found;
}

/** undefined: the message's bytes are not to be had any more. */
function uniqueOf(capture: Capture, row: number): string | undefined {
  const bytes = isOrphan(capture, row) ? capture.replyBytes(row) : capture.requestBytes(row);
  const at = isOrphan(capture, row) ? OutHeader.offset.unique : InHeader.offset.unique;
  if (bytes.length < at + 8) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(at, true).toString();
}
