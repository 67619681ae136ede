/** Warnings of one session in the log: a driver or front-end can have something go wrong with every message. */
export class Warnings {
  private said = 0;

  constructor(private readonly write: (text: string) => void) {}

  /** Another session. */
  begin(): void {
    this.said = 0;
  }

  readonly say = (text: string): void => {
    if (this.said > MOST_WARNINGS) return;
    this.said++;
    this.write(this.said > MOST_WARNINGS ? 'no more warnings of this session are logged' : text);
  };
}

/** More than the DAX window, which bounds its own, says of single files. */
export const MOST_WARNINGS = 1024;
