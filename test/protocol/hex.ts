/** Bytes written as commented hexadecimal lines: everything after `;` on a line is a comment. */
export function hex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text
    .split('\n')
    .map((line) => line.replace(/;.*$/, ''))
    .join('')
    .replace(/\s+/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) throw new Error('hexadecimal digits only, two for a byte');
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
