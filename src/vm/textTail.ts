/** Keeps the last part of what a console or a program says, for when something goes wrong. */
const KEPT = 64 * 1024;

export class TextTail {
  private text = '';

  add(chunk: Buffer): void {
    this.text = (this.text + chunk.toString('utf8')).slice(-KEPT);
  }

  /** At most the last `count` lines that are not empty, without terminal control sequences. */
  lines(count: number): string[] {
    const plain = this.text.replace(/\x1b(?:\[[0-9;?]*[A-Za-z]|[=>c78]|\][^\x07]*\x07)|\r/g, '');
    return plain
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-count);
  }

  includes(text: string): boolean {
    return this.text.includes(text);
  }
}
