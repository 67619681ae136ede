/**
 * A small tree of files to share when nobody names a folder, and a fingerprint to tell whether two trees are the same.
 * Nothing here knows of guests.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDERS = 12;
const FILES_IN_EACH = 12;

/** Makes the tree in `folder`, which must not exist. Same bytes every time; 144 files, about 1 MB. */
export function makeSampleTree(folder: string): void {
  mkdirSync(folder);
  for (let outer = 0; outer < FOLDERS; outer++) {
    const inner = join(folder, `part ${outer}`, outer % 3 === 0 ? 'deeper/still' : 'notes');
    mkdirSync(inner, { recursive: true });
    for (let file = 0; file < FILES_IN_EACH; file++) {
      writeFileSync(join(inner, `file-${file}.txt`), sampleBytes((outer * FILES_IN_EACH + file) ** 2), {
        mode: file % 4 === 0 ? 0o755 : 0o644,
      });
    }
  }
  symlinkSync('part 0/deeper', join(folder, 'link to a folder'));
  symlinkSync('no such place', join(folder, 'link to nothing'));
  writeFileSync(join(folder, 'Ünïcode – 名前.md'), '# A name that is not ASCII\n');
}

/** `length` bytes that differ from place to place. */
export function sampleBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0, value = length; at < length; at++) {
    value = (value * 1103515245 + 12345) & 0x7fffffff;
    bytes[at] = value >>> 16;
  }
  return bytes;
}

export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

/**
 * One line for each thing below `folder`: type and permissions, path, content. Sorted, so that equal trees are equal.
 */
export function fingerprint(folder: string): string[] {
  const lines: string[] = [];
  const visit = (path: string): void => {
    const full = join(folder, path);
    const { mode } = lstatSync(full);
    const kind = mode & 0o170000;
    if (kind === 0o040000) {
      lines.push(`${mode.toString(8)} ${path}/`);
      readdirSync(full).forEach((name) => visit(join(path, name)));
    } else if (kind === 0o120000) {
      lines.push(`${mode.toString(8)} ${path} -> ${readlinkSync(full)}`);
    } else {
      lines.push(`${mode.toString(8)} ${path} ${md5(readFileSync(full))}`);
    }
  };
  visit('.');
  return lines.sort();
}
