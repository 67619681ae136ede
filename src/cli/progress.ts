/** Shows what a command is doing on standard error: one line that changes on a terminal, plain lines elsewhere. */
export class Progress {
  private shown = false;
  private readonly start = performance.now();

  constructor(
    private readonly stream: NodeJS.WriteStream = process.stderr,
    private readonly onTerminal = stream.isTTY === true,
  ) {}

  /** The step that begins now. */
  readonly step = (line: string): void => {
    const seconds = ((performance.now() - this.start) / 1000).toFixed(1).padStart(5);
    if (this.onTerminal) {
      // A terminal without a size says 0.
      const room = (this.stream.columns || 80) - 1;
      this.stream.write(`\r\x1b[K${`${seconds} s  ${line}`.slice(0, room)}`);
      this.shown = true;
    } else {
      this.stream.write(`${seconds} s  ${line}\n`);
    }
  };

  /** Takes the changing line away, so that other output starts at the left. */
  done(): void {
    if (this.shown) {
      this.stream.write('\r\x1b[K');
      this.shown = false;
    }
  }
}
