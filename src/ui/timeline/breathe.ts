/** Lets everything else that waits for the event loop run. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** For long walks: says when it is time to breathe. */
export class Slice {
  private until: number;

  constructor(private readonly milliseconds = 10) {
    this.until = performance.now() + milliseconds;
  }

  get over(): boolean {
    return performance.now() >= this.until;
  }

  async breathe(): Promise<void> {
    await breathe();
    this.until = performance.now() + this.milliseconds;
  }
}
