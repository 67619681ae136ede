/**
 * The mount tag of a share: what the guest names it by. Knows only what a tag may be (virtio 1.3, 5.11.4: 36 bytes of
 * UTF-8, NUL-padded, without a terminator when it is full).
 */

export const TAG_BYTES = 36;

/** What is wrong with a tag, as the end of a sentence that starts with "the tag"; undefined when nothing is. */
export function tagFault(tag: string): string | undefined {
  const bytes = new TextEncoder().encode(tag).length;
  if (bytes === 0) return 'is empty';
  if (bytes > TAG_BYTES) return `is ${bytes} bytes long`;
  if (/[\n\r]/.test(tag)) return 'has a newline in it';
  if (tag.includes('\0')) return 'has a NUL byte in it';
  return undefined;
}
