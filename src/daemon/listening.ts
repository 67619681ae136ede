/**
 * Where the daemon waits for its front-end: a socket that was handed over, or one that it makes at a path and takes away
 * at its end.
 *
 * A socket file that nobody has open any more is replaced; one that is served is not, nor one that cannot be asked, and
 * neither is any other file.
 */
import { existsSync, lstatSync, unlinkSync } from 'node:fs';
import { trouble } from '../base/catalogue';
import { isLeftBehind, isListening, listenUnix } from '../native/descriptors';
import { NativeError } from '../native/libc';
import { errnoName } from '../protocol/errno';

export interface Listening {
  readonly fd: number;
  /** Takes the socket's file away, where it is still ours. */
  remove(): void;
}

/** One of the two is given. Throws a Trouble. */
export function listen({ fd, socketPath }: { fd?: number; socketPath?: string }): Listening {
  if (fd !== undefined) {
    if (!isListening(fd)) throw trouble('socketNotListening', String(fd));
    return { fd, remove: () => undefined };
  }
  if (socketPath === undefined) throw trouble('socketMissing');
  try {
    if (existsSync(socketPath) && lstatSync(socketPath).isSocket() && isLeftBehind(socketPath)) unlinkSync(socketPath);
    const made = listenUnix(socketPath);
    const { ino } = lstatSync(socketPath);
    return { fd: made, remove: () => removeSocket(socketPath, ino) };
  } catch (error) {
    throw trouble('socketUnusable', socketPath, reason(error));
  }
}

function reason(error: unknown): string {
  if (error instanceof NativeError) return errnoName(error.errno);
  if (error instanceof RangeError) return 'the path is too long';
  return error instanceof Error ? error.message : String(error);
}

function removeSocket(socketPath: string, ino: number): void {
  // Another daemon may have taken the path since.
  if (lstatSync(socketPath, { throwIfNoEntry: false })?.ino === ino) unlinkSync(socketPath);
}
