/**
 * VS Code may forget what it was asked to select, and answer all the same, when the tree is shown anew meanwhile.
 * Before it answers it says what is selected. Knows nothing of vscode.
 */
const MOST_TIMES = 8;

/** Asks until `done`, so many times at most. */
export async function askAgain(ask: () => PromiseLike<void>, done: () => boolean): Promise<void> {
  for (let times = 0; times < MOST_TIMES; times++) {
    await ask();
    if (done()) return;
  }
}
