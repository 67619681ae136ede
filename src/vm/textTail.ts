/** Keeps the last part of what a console or a program says, for when something goes wrong. */
const KEPT = 64 * 1024;
/** QEMU's advice to whoever writes its command line: never why something went wrong. */
const ADVICE = /^qemu-system-\S+: .*\bwarning: .* (?:is|are) deprecated/;

export class TextTail {
  private kept = '';
  /** What comes may be cut in the middle of a character. */
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  /** `most`: characters. */
  constructor(private readonly most = KEPT) {}

  add(chunk: Buffer): void {
    const all = this.kept + this.decoder.decode(chunk, { stream: true });
    // Not from the middle of a character that is two of JavaScript's.
    this.kept = all.slice(-this.most).replace(/^[\udc00-\udfff]/, '');
  }

  get text(): string {
    return this.kept;
  }

  /**
   * At most `count` lines that say something, without terminal control sequences: the last ones, or those around the
   * first one with `sign` in it.
   */
  lines(count: number, sign?: string): string[] {
    const plain = this.kept.replace(/\x1b(?:\[[0-9;?]*[A-Za-z]|[=>c78]|\][^\x07]*\x07)|\r/g, '');
    const lines = plain.split('\n').filter((line) => line.trim() !== '' && !ADVICE.test(line));
    const found = sign === undefined ? -1 : lines.findIndex((line) => line.includes(sign));
    return found < 0 ? lines.slice(-count) : lines.slice(Math.max(0, found - 3), found - 3 + count);
  }

  includes(text: string): boolean {
    return this.kept.includes(text);
  }
}
