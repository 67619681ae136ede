/**
 * A picture as plain numbers, a pixel each, filled rectangle by rectangle: tens of thousands of bars a frame, which a
 * canvas would draw one call at a time. Colours are as an ImageData on a little-endian machine has them: 0xAABBGGRR.
 */
export class Image {
  pixels: Uint32Array<ArrayBuffer>;

  constructor(
    public width: number,
    public height: number,
  ) {
    this.pixels = new Uint32Array(width * height);
  }

  /** True when the pixels are new ones. */
  resize(width: number, height: number): boolean {
    if (width === this.width && height === this.height) return false;
    this.width = width;
    this.height = height;
    this.pixels = new Uint32Array(width * height);
    return true;
  }

  clear(colour: number): void {
    this.pixels.fill(colour);
  }

  /** [x0, x1) by [y0, y1), cut at the edges. */
  fill(x0: number, y0: number, x1: number, y1: number, colour: number): void {
    const { width, height, pixels } = this;
    const left = x0 < 0 ? 0 : x0;
    const right = x1 > width ? width : x1;
    const top = y0 < 0 ? 0 : y0;
    const bottom = y1 > height ? height : y1;
    if (right <= left) return;
    if (right - left < 8) {
      for (let y = top; y < bottom; y++) {
        const line = y * width;
        for (let x = left; x < right; x++) pixels[line + x] = colour;
      }
      return;
    }
    for (let y = top; y < bottom; y++) pixels.fill(colour, y * width + left, y * width + right);
  }

  /** The same with every second diagonal left as it is. */
  hatch(x0: number, y0: number, x1: number, y1: number, colour: number): void {
    const { width, height, pixels } = this;
    const left = Math.max(0, x0);
    const right = Math.min(width, x1);
    for (let y = Math.max(0, y0); y < Math.min(height, y1); y++) {
      for (let x = left; x < right; x++) if (((x + y) & 3) < 2) pixels[y * width + x] = colour;
    }
  }
}

/** Colours from 0 to 255, opaque. */
export const packColour = (red: number, green: number, blue: number): number =>
  ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

export function mix(one: number, other: number, part: number): number {
  const channel = (shift: number): number => {
    const a = (one >>> shift) & 0xff;
    const b = (other >>> shift) & 0xff;
    return Math.round(a + (b - a) * part);
  };
  return packColour(channel(0), channel(8), channel(16));
}
