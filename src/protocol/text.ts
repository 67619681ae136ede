/**
 * Bytes that are meant as text, and back: file names are any bytes without '/' and NUL, usually UTF-8.
 *
 * Loses nothing: a byte that is no UTF-8 becomes `\xNN`, and a backslash is doubled, so that `encodeText` gives the
 * same bytes again. Written here because the rooms that use it have neither Node nor DOM.
 */

/** Decodes [at, at + length), which the caller has cut to what is there. */
export function decodeText(bytes: Uint8Array, at = 0, length = bytes.length - at): string {
  let text = '';
  const end = at + length;
  for (let i = at; i < end;) {
    const first = bytes[i];
    if (first < 0x80) {
      text += first === 0x5c ? '\\\\' : String.fromCharCode(first);
      i++;
      continue;
    }
    const size = sequenceLength(bytes, i, end);
    if (size === 0) {
      text += `\\x${first.toString(16).padStart(2, '0')}`;
      i++;
      continue;
    }
    let code = first & (0x7f >> size);
    for (let k = 1; k < size; k++) code = (code << 6) | (bytes[i + k] & 0x3f);
    text += String.fromCodePoint(code);
    i += size;
  }
  return text;
}

/** Length of the well-formed UTF-8 sequence of two to four bytes at `i`, or 0 (Unicode 15, table 3-7). */
function sequenceLength(bytes: Uint8Array, i: number, end: number): number {
  const first = bytes[i];
  const size =
    first >= 0xc2 && first <= 0xdf ? 2 : (first & 0xf0) === 0xe0 ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (size === 0 || i + size > end) return 0;
  for (let k = 1; k < size; k++) if ((bytes[i + k] & 0xc0) !== 0x80) return 0;
  const second = bytes[i + 1];
  if (first === 0xe0 && second < 0xa0) return 0;
  if (first === 0xed && second > 0x9f) return 0;
  if (first === 0xf0 && second < 0x90) return 0;
  if (first === 0xf4 && second > 0x8f) return 0;
  return size;
}

/** The bytes of a text in the form that `decodeText` gives. Lone surrogates become U+FFFD. */
export function encodeText(text: string): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < text.length;) {
    const escape = /^\\(?:\\|x([0-9a-f]{2}))/.exec(text.slice(i, i + 4));
    if (escape) {
      bytes.push(escape[1] === undefined ? 0x5c : parseInt(escape[1], 16));
      i += escape[0].length;
      continue;
    }
    let code = text.codePointAt(i) ?? 0;
    i += code > 0xffff ? 2 : 1;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    else {
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    }
  }
  return Uint8Array.from(bytes);
}

/**
 * A decoded text on one line and in the order it is written in, whatever a guest has put into a name: what would end
 * the line, or turn the order round, is escaped.
 */
export const visible = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (c) =>
    c === '\n' ? '\\n' : c === '\t' ? '\\t' : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The same in quotes. */
export const quote = (text: string): string => `"${visible(text).replaceAll('"', '\\"')}"`;
