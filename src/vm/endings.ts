/**
 * Ends a command in order when it is told to end: Ctrl-C, SIGTERM, a closed terminal, output that nobody reads any
 * more, or the death of its parent.
 *
 * Knows only when; what to do is the caller's. Standard error that cannot be written ends nothing: it changes no
 * outcome.
 */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { Trouble } from '../base/catalogue';
import { isReaderGone, outputTrouble } from '../base/outputFault';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const PARENT_CHECK_MS = 500;

/** One of the three that a process has from its start. */
type Stream = Pick<NodeJS.ReadStream | NodeJS.WriteStream, 'isTTY'>;

/**
 * Runs `clean` once and then exits with 128 + the signal's number, the shells' convention (SIGHUP's for a lost parent
 * or reader); with the error's code, told, where standard output cannot be written. A second signal changes nothing:
 * the cleaning is bounded in time. Returns how to stop listening.
 */
export function onTermination(clean: () => Promise<void>): () => void {
  let ending = false;
  const end = (why: (typeof SIGNALS)[number] | Trouble): void => {
    if (!ending) {
      ending = true;
      clean()
        .catch((error: unknown) => console.error(error))
        .finally(() => {
          closeLostTerminal();
          if (why instanceof Trouble) process.stderr.write(`${why.toString()}\n`);
          process.exit(why instanceof Trouble ? why.exitCode : 128 + constants.signals[why]);
        });
    }
  };
  const lost = function (this: Stream, error: NodeJS.ErrnoException): void {
    if (isReaderGone(error, this)) end('SIGHUP');
    else if (this === process.stdout) end(outputTrouble(error));
    else if (this === process.stdin) throw error;
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

/** As it exits, Node restores the terminal's modes and aborts where it cannot; closed descriptors it leaves alone. */
function closeLostTerminal(): void {
  [process.stdin, process.stdout, process.stderr].forEach((stream, fd) => {
    if (stream.isTTY && !isatty(fd)) closeSync(fd);
  });
}
