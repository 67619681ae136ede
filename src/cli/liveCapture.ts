/** A capture that comes as a stream: from the socket of a share that runs, or on standard input. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { trouble } from '../base/catalogue';
import { errnoReason, reasonOf } from '../protocol/errno';
import { quote } from '../protocol/text';

/** How long a share may take to answer. */
const PATIENCE_MS = 5000;

/** Connects. Throws a Trouble when nobody listens. */
export async function connectToShare(path: string): Promise<Readable> {
  const socket = connect(path);
  const patience = setTimeout(() => socket.destroy(new Error('it does not answer')), PATIENCE_MS);
  try {
    await once(socket, 'connect');
  } catch (error) {
    throw trouble('shareGone', quote(path), reasonOf(error as NodeJS.ErrnoException));
  } finally {
    clearTimeout(patience);
  }
  return socket;
}

/** Gives `take` each piece of the stream, and waits for it, until the end or `stop`. A stream that breaks has ended. */
export async function readStream(
  stream: Readable,
  take: (chunk: Uint8Array) => Promise<void>,
  stop: AbortSignal,
): Promise<string | undefined> {
  const end = (): void => void stream.destroy();
  if (stop.aborted) end();
  stop.addEventListener('abort', end, { once: true });
  try {
    for await (const chunk of stream) await take(chunk as Uint8Array);
    return undefined;
  } catch (error) {
    if (stop.aborted) return undefined;
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    return `the stream broke: ${errnoReason(errno)}`;
  } finally {
    stop.removeEventListener('abort', end);
    end();
  }
}
