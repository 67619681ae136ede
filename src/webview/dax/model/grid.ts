/**
 * The window as a grid of equal cells, 2 MiB each as Linux maps it, larger ones where there would be too many: what is
 * in each cell, where it is drawn, what lies under a point, where a key leads.
 */
import type { WindowView } from '../../../control/daxWindow';

const RANGE = 2 << 20;
export const MOST_CELLS = 4096;

export interface Grid {
  /** Bytes of a cell. */
  readonly bytes: number;
  readonly count: number;
  /** The range that has most of each cell, as index into `WindowView.ranges`; -1: none. */
  readonly range: Int32Array;
  /** How many ranges touch it. */
  readonly ranges: Uint16Array;
  /** The part of it that is mapped, 0 to 1. */
  readonly filled: Float32Array;
}

export function gridOf({ size, ranges }: Pick<WindowView, 'size' | 'ranges'>): Grid {
  let bytes = RANGE;
  while (size / bytes > MOST_CELLS) bytes *= 2;
  const count = Math.ceil(size / bytes);
  const range = new Int32Array(count).fill(-1);
  const touching = new Uint16Array(count);
  const filled = new Float32Array(count);
  const most = new Float64Array(count);
  ranges.forEach(({ offset, length }, index) => {
    const end = Math.min(size, offset + length);
    for (let cell = Math.floor(offset / bytes); cell < count && cell * bytes < end; cell++) {
      const part = Math.min(end, (cell + 1) * bytes) - Math.max(offset, cell * bytes);
      if (part <= 0) continue;
      if (touching[cell] < 0xffff) touching[cell]++;
      filled[cell] += part / bytes;
      if (part <= most[cell]) continue;
      most[cell] = part;
      range[cell] = index;
    }
  });
  return { bytes, count, range, ranges: touching, filled };
}

export interface Layout {
  readonly columns: number;
  readonly rows: number;
  /** From one cell to the next, and what of it is drawn, in pixels. */
  readonly pitch: number;
  readonly cell: number;
  readonly height: number;
}

const LARGEST = 22;
const SMALLEST = 4;

/** As large as they fit into `width` by `height`; never too small to be told apart, higher then. */
export function layOut(count: number, width: number, height: number): Layout {
  let pitch = LARGEST;
  const columnsAt = (size: number): number => {
    const columns = Math.max(1, Math.floor(width / size));
    // Offsets are easier to read where rows are round.
    return columns >= 16 ? columns - (columns % 8) : columns;
  };
  while (pitch > SMALLEST && Math.ceil(count / columnsAt(pitch)) * pitch > height) pitch--;
  const columns = Math.max(1, Math.min(count, columnsAt(pitch)));
  const rows = Math.ceil(count / columns);
  return { columns, rows, pitch, cell: pitch - (pitch >= 10 ? 2 : 1), height: rows * pitch };
}

/** The cell at a point; -1: none. */
export function cellAt({ columns, pitch }: Layout, count: number, x: number, y: number): number {
  const column = Math.floor(x / pitch);
  const row = Math.floor(y / pitch);
  const cell = row * columns + column;
  return column >= 0 && column < columns && row >= 0 && cell < count ? cell : -1;
}

/** The cell that a key leads to from `from`; undefined: the key is no way. */
export function cellByKey(key: string, from: number, { columns, rows }: Layout, count: number): number | undefined {
  if (count === 0) return undefined;
  const page = Math.max(1, Math.floor(rows / 4)) * columns;
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -page,
    PageDown: page,
    Home: -count,
    End: count,
  };
  if (!Object.hasOwn(steps, key)) return undefined;
  if (from < 0) return key === 'End' ? count - 1 : 0;
  const to = from + steps[key];
  // Up and down stay in their column.
  if ((key === 'ArrowUp' || key === 'ArrowDown') && (to < 0 || to >= count)) return from;
  return Math.max(0, Math.min(count - 1, to));
}
