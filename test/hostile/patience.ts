/** Waiting for what another process does. */

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until something is so; throws after two seconds. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let waited = 0; waited < 2000; waited += 2) {
    if (isSo()) return;
    await sleep(2);
  }
  throw new Error(`waited in vain for ${what}`);
}

/** Long enough for the daemon to have done what it will do. */
export const settled = (): Promise<void> => sleep(30);
