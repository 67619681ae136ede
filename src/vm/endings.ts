/**
 * Ends a command in order when it is told to end: Ctrl-C, SIGTERM, a closed terminal, output that nobody reads any more, or
 * the death of its parent.
 *
 * Knows only when; what to do is the caller's.
 */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const PARENT_CHECK_MS = 500;

/**
 * Runs `clean` once and then exits with 128 + the signal's number, the shells' convention (SIGHUP's for a lost
 * parent or reader). A second signal changes nothing: the cleaning is bounded in time. Returns how to stop listening.
 */
export function onTermination(clean: () => Promise<void>): () => void {
  let ending = false;
  const end = (signal: (typeof SIGNALS)[number]): void => {
    if (!ending) {
      ending = true;
      clean()
        .catch((error: unknown) => console.error(error))
        .finally(() => {
          closeLostTerminal();
          process.exit(128 + constants.signals[signal]);
        });
    }
  };
  const lost = (error: NodeJS.ErrnoException): void => {
    if (!isReaderGone(error)) throw error;
    end('SIGHUP');
  };
  // Standard input says so where the modes of a terminal that was closed are to be restored.
  const streams = [process.stdin, process.stdout, process.stderr];
  streams.forEach((stream) => stream.on('error', lost));
  SIGNALS.forEach((signal) => process.on(signal, end));
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) {
      end('SIGHUP');
    }
  }, PARENT_CHECK_MS);
  watch.unref();
  return () => {
    SIGNALS.forEach((signal) => process.off(signal, end));
    streams.forEach((stream) => stream.off('error', lost));
    clearInterval(watch);
  };
}

/** A closed pipe, or a terminal that was closed. */
export function isReaderGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'EIO';
}

/** As it exits, Node restores the terminal's modes and aborts where it cannot; closed descriptors it leaves alone. */
function closeLostTerminal(): void {
  [process.stdin, process.stdout, process.stderr].forEach((stream, fd) => {
    if (stream.isTTY && !isatty(fd)) closeSync(fd);
  });
}
