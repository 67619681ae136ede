/** How many whole pcapng blocks bytes begin with, and how long these are together. The bytes begin with a block. */
export function wholeBlocks(bytes: Uint8Array): { readonly count: number; readonly bytes: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [count, at] = [0, 0];
  // A block's type, and its length.
  while (at + 8 <= bytes.length) {
    const next = at + view.getUint32(at + 4, true);
    if (next > bytes.length) break;
    at = next;
    count++;
  }
  return { count, bytes: at };
}
