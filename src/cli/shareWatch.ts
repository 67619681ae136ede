/**
 * Watches the shares of a guest that runs for what ends them without ending the guest: a daemon that dies, a folder
 * that is removed. Tells each once. And hears what daemons themselves say is wrong, up to their end.
 */
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Trouble, trouble } from '../base/catalogue';
import type { ShareProblem } from '../control/launcher';
import { parseProblem } from '../control/problemLines';
import type { Guest, GuestShare } from '../vm/guest';
import { exited } from '../vm/workplace';

const LOOK_MS = 2000;
/** A daemon ends with its guest: which of the two was first is known a moment later. */
const GRACE_MS = 300;

/** Returns how to stop watching. */
export function watchShares(
  guest: Guest,
  shares: readonly GuestShare[],
  told: (problem: ShareProblem) => void,
): () => void {
  const tell = (tag: string, { code, message, remedy }: Trouble): void => told({ tag, code, text: message, remedy });
  let over = false;
  void guest.ended.then(() => (over = true));
  guest.backEnds.forEach((backEnd, index) => {
    void exited(backEnd.process).then(async ({ code, signal }) => {
      await sleep(GRACE_MS, undefined, { ref: false });
      if (over) return;
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      tell(shares[index].tag, trouble('daemonGone', shares[index].tag, how));
    });
  });

  const folders = new Map(shares.map((share) => [share, identity(share.directory)]));
  const timer = setInterval(() => {
    for (const [share, first] of folders) {
      void Promise.all([first, identity(share.directory)]).then(([then, now]) => {
        if (over || then === now || !folders.delete(share)) return;
        tell(share.tag, trouble('folderGone', share.tag, share.directory));
      });
    }
  }, LOOK_MS);
  timer.unref();
  return () => {
    over = true;
    clearInterval(timer);
  };
}

/** Resolves when all daemons have ended and everything that they said has been told. */
export async function hearDaemons(
  guest: Guest,
  shares: readonly GuestShare[],
  told: (problem: ShareProblem) => void,
): Promise<void> {
  const heard = guest.backEnds.map(async ({ problems }, index) => {
    if (problems === undefined) return;
    let rest = '';
    for await (const text of problems.setEncoding('utf8')) {
      const lines = `${rest}${text as string}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const problem = parseProblem(shares[index].tag, line);
        if (problem !== undefined) told(problem);
      }
    }
  });
  await Promise.all(heard);
}

/** Device and number of a folder; undefined when it is not there. */
async function identity(folder: string): Promise<string | undefined> {
  return stat(folder).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => undefined,
  );
}
