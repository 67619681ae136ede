/**
 * Ends a command in order when it is told to end: Ctrl-C, SIGTERM, a closed terminal, or the death of its parent.
 *
 * Knows only when; what to do is the caller's.
 */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const PARENT_CHECK_MS = 500;

/**
 * Runs `clean` once and then exits with 128 + the signal's number, the shells' convention (SIGHUP's for a lost
 * parent). A second signal changes nothing: the cleaning is bounded in time. Returns how to stop listening.
 */
export function onTermination(clean: () => Promise<void>): () => void {
  let ending = false;
  const end = (signal: (typeof SIGNALS)[number]): void => {
    if (!ending) {
      ending = true;
      clean()
        .catch((error: unknown) => console.error(error))
        .finally(() => process.exit(128 + constants.signals[signal]));
    }
  };
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
    clearInterval(watch);
  };
}
