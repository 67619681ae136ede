/** Columns for a terminal: the first to the left, the others to the right; wide and combining characters counted. */

export function alignColumns(rows: readonly (readonly string[])[], left: readonly number[] = [0]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, textWidth(cell))));
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const room = ' '.repeat(widths[column] - textWidth(cell));
        return left.includes(column) ? cell + room : room + cell;
      })
      .join('  ')
      .trimEnd(),
  );
}

const combining = /^(?:\p{Mn}|\p{Me}|\p{Cf})$/u;

/** Cells that a text without control characters takes on a terminal. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (combining.test(character)) return 0;
  return isWide(code) ? 2 : 1;
}

/** East Asian wide and fullwidth, and emoji (Unicode 15, EastAsianWidth.txt, blocks rather than single characters). */
function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0x303e) ||
    (code >= 0x3041 && code <= 0xa4cf) ||
    (code >= 0xa960 && code <= 0xa97c) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1f64f) ||
    (code >= 0x1f900 && code <= 0x1f9ff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}

/** Cut to `width` cells, with an ellipsis where something is missing. Colour codes must not be in it. */
export function cutToWidth(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let used = 0;
  let end = 0;
  for (const character of text) {
    const more = characterWidth(character);
    if (used + more > width - 1) break;
    used += more;
    end += character.length;
  }
  return `${text.slice(0, end)}…`;
}
