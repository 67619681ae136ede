/** How wide texts are on a canvas, remembered, and what of one there is room for. */
const MOST_KEPT = 5000;

export class TextWidths {
  private readonly widths = new Map<string, number>();

  of(context: CanvasRenderingContext2D, text: string): number {
    let width = this.widths.get(text);
    if (width === undefined) {
      width = context.measureText(text).width;
      if (this.widths.size > MOST_KEPT) this.widths.clear();
      this.widths.set(text, width);
    }
    return width;
  }

  /** Cut with an ellipsis: a path at its beginning. */
  fitted(context: CanvasRenderingContext2D, text: string, room: number, fromLeft: boolean): string {
    if (this.of(context, text) <= room) return text;
    let low = 0;
    let high = text.length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const part = fromLeft ? `…${text.slice(-middle)}` : `${text.slice(0, middle)}…`;
      if (context.measureText(part).width <= room) low = middle;
      else high = middle - 1;
    }
    if (low === 0) return '…';
    return fromLeft ? `…${text.slice(-low)}` : `${text.slice(0, low)}…`;
  }
}
