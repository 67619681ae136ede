/**
 * One terminal for several runs at a time: what the run whose turn it is writes is seen as it comes, what the others
 * write is kept until theirs, in the order in which they began. Knows nothing of what runs.
 */
export class Turns {
  /** Runs that have begun and are not both ended and written. The first has the terminal. */
  #runs = [];
  #print;

  constructor(print = (chunk) => process.stdout.write(chunk)) {
    this.#print = print;
  }

  /** A run begins: where its output goes, and what to call when there is no more of it. */
  begin() {
    const run = { kept: [], ended: false };
    this.#runs.push(run);
    return {
      write: (chunk) => (run === this.#runs[0] ? this.#print(chunk) : run.kept.push(chunk)),
      end: () => {
        run.ended = true;
        while (this.#runs[0]?.ended) {
          this.#runs.shift();
          this.#runs[0]?.kept.splice(0).forEach((chunk) => this.#print(chunk));
        }
      },
    };
  }
}

/**
 * Calls `work` with each of `things` in their order, at most `lanes` at a time. Rejects as the first that did, once no
 * other goes on.
 */
export async function inLanes(lanes, things, work) {
  const left = [...things];
  const lane = async () => {
    for (let thing; (thing = left.shift()) !== undefined;) await work(thing);
  };
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  const failed = ends.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
}
