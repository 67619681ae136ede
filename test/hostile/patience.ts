/** Waiting for what another process does. */

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until something is so; throws when that takes too long. */
export async function until(what: string, isSo: () => boolean, milliseconds = 2000): Promise<void> {
  for (const end = Date.now() + milliseconds; Date.now() < end;) {
    if (isSo()) return;
    await sleep(2);
  }
  throw new Error(`waited in vain for ${what}`);
}

/** Long enough for the daemon to have done what it will do. */
export const settled = (): Promise<void> => sleep(30);
