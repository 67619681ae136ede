/**
 * What a command that takes captures is given: a file, standard input or a share that runs, as a `Capture`.
 *
 * Owns what a name means: `-` is standard input, a file or FIFO that is there comes first, then a tag, folder, process
 * id or socket of a running share.
 */
import { fstatSync, openSync, statSync, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { CaptureFiles } from '../control/captureFiles';
import { resolveShare, runningShares, sharesMeant } from '../control/runningShares';
import { quote } from '../protocol/text';
import { CaptureReader, type CaptureReaderOptions } from '../trace/captureReader';
import { connectToShare, readStream } from './liveCapture';

const TAIL_MS = 100;
const STDIN = 0;

export interface CaptureSource {
  readonly capture: CaptureReader;
  /** More may come: `follow` reads it. What does not grow is read already. */
  readonly grows: boolean;
  /** Reads on until the end or `stop`; `grown` is called, and waited for, after each piece. */
  follow(grown: () => Promise<void>, stop: AbortSignal): Promise<void>;
  /** What a person should know of the capture as a whole. */
  notes(): readonly string[];
  close(): void;
}

export interface SourceOptions {
  /** A file grows. */
  readonly tail?: boolean;
  /** Of a stream every message is kept, however many there are. */
  readonly whole?: boolean;
}

/** Throws a Trouble when the name means nothing that can be read. */
export async function openSource(name: string, { tail, whole }: SourceOptions = {}): Promise<CaptureSource> {
  const kept = whole ? { liveLimit: Infinity } : {};
  if (name === '-') {
    // Node.js has nothing to read of a folder.
    if (fstatSync(STDIN).isDirectory()) throw trouble('inputIsFolder');
    return streamSource('what comes on the standard input', process.stdin, kept);
  }
  const stat = statOf(name);
  if (stat?.isDirectory() || stat?.isSocket() || (stat === undefined && !name.endsWith('.pcapng'))) {
    return shareSource(name, stat, kept);
  }
  if (stat?.isFIFO()) return streamSource(`what comes from ${quote(name)}`, openFifo(name), kept);
  if (stat?.isCharacterDevice()) {
    throw trouble('captureOfNoFile', quote(name));
  }
  return tail ? tailSource(name) : fileSource(name);
}

/** Such as a shell's `<(zcat ...)`. Waits for who writes to it, as any program does, until a signal ends that. */
function openFifo(name: string): Socket {
  try {
    return new Socket({ fd: openSync(name, 'r'), readable: true, writable: false });
  } catch (error) {
    throw trouble('captureNotReadable', quote(name), systemReason(error) ?? String(error));
  }
}

/** A capture file, read to its end. Throws a Trouble. */
export function fileSource(name: string): CaptureSource {
  const files = new CaptureFiles(name);
  const reader = new CaptureReader({ read: files.readAt });
  try {
    for (let chunk = files.next(); chunk.length > 0; chunk = files.next()) reader.push(chunk);
    reader.end();
    refuseForeign(reader, `the file ${quote(name)}`);
  } catch (error) {
    files.close();
    throw error;
  }
  return {
    capture: reader,
    grows: false,
    follow: async (grown) => grown(),
    notes: () => [...files.notes, ...reader.notes],
    close: () => files.close(),
  };
}

/** The same for a command that takes nothing else: of a share that runs it says so. */
export function onlyFileSource(name: string): CaptureSource {
  if (statOf(name)?.isFile() !== true && sharesMeant(name).length > 0) throw trouble('shareIsNoCapture', quote(name));
  return fileSource(name);
}

function tailSource(name: string): CaptureSource {
  const files = new CaptureFiles(name, true);
  const reader = new CaptureReader({ read: files.readAt });
  const follow = async (grown: () => Promise<void>, stop: AbortSignal): Promise<void> => {
    while (!stop.aborted) {
      const chunk = files.next();
      if (chunk.length > 0) {
        reader.push(chunk);
        refuseForeign(reader, `the file ${quote(name)}`);
        await grown();
      } else if (reader.fault) return;
      else if (!files.turnOver()) await sleep(TAIL_MS, undefined, { signal: stop }).catch(() => undefined);
    }
  };
  return {
    capture: reader,
    grows: true,
    follow,
    notes: () => [...files.notes, ...reader.notes],
    close: () => files.close(),
  };
}

async function shareSource(name: string, stat: Stats | undefined, kept: CaptureReaderOptions): Promise<CaptureSource> {
  if (stat?.isSocket()) return streamSource(`what comes from ${quote(name)}`, await connectToShare(name), kept);
  const shares = runningShares();
  if (stat?.isDirectory() && !shares.some((share) => sameFolder(share.directory, stat))) {
    throw trouble('captureIsFolder', quote(name));
  }
  const share = resolveShare(name, shares);
  return streamSource(`what comes from the share ${quote(share.tag)}`, await connectToShare(share.socket), kept);
}

/** `what`: how what is read is called. */
function streamSource(
  what: string,
  stream: NodeJS.ReadStream | Awaited<ReturnType<typeof connectToShare>>,
  kept: CaptureReaderOptions,
): CaptureSource {
  const reader = new CaptureReader(kept);
  const broken: string[] = [];
  const follow = async (grown: () => Promise<void>, stop: AbortSignal): Promise<void> => {
    const why = await readStream(
      stream,
      async (chunk) => {
        reader.push(chunk);
        refuseForeign(reader, what);
        await grown();
      },
      stop,
    );
    if (why !== undefined) broken.push(why);
    // Stopped in the middle is not cut off.
    if (!stop.aborted) reader.end();
    refuseForeign(reader, what);
  };
  return {
    capture: reader,
    grows: true,
    follow,
    notes: () => [...broken, ...reader.notes],
    close: () => void stream.destroy(),
  };
}

function refuseForeign({ fault }: CaptureReader, what: string): void {
  if (fault?.kind === 'foreign') throw trouble('captureForeign', what, fault.text, fault.remedy);
}

function statOf(name: string): Stats | undefined {
  try {
    return statSync(name, { throwIfNoEntry: false });
  } catch (error) {
    throw trouble('captureNotReadable', quote(name), systemReason(error) ?? String(error));
  }
}

function sameFolder(directory: string, { dev, ino }: Stats): boolean {
  const there = statOf(directory);
  return there?.dev === dev && there.ino === ino;
}
