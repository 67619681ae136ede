/**
 * Writes cpio archives in the "newc" form, the one the Linux kernel unpacks as an initramfs.
 *
 * Owns the byte layout (kernel: Documentation/driver-api/early-userspace/buffer-format.rst). Knows nothing of what a
 * guest needs, and reads no file: the content comes with the entry.
 */

export interface CpioEntry {
  /** Path inside the archive without a leading slash. Its parent folders are made if no entry names them. */
  readonly path: string;
  /** Type and permission bits, as in `st_mode`. */
  readonly mode: number;
  /** A file's bytes, or a symbolic link's target. */
  readonly content?: Uint8Array | string;
  /** Device number, for character and block nodes. */
  readonly device?: { readonly major: number; readonly minor: number };
}

const S_IFDIR = 0o040000;
const FOLDER = S_IFDIR | 0o755;

/** One archive holding `entries`, parents before children, owned by root and dated 1970: same input, same bytes. */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  let inode = 1;
  for (const entry of withParents(entries)) {
    parts.push(...member(entry, inode++));
  }
  parts.push(...member({ path: 'TRAILER!!!', mode: 0 }, 0));
  return Buffer.concat(parts);
}

function withParents(entries: readonly CpioEntry[]): CpioEntry[] {
  const byPath = new Map<string, CpioEntry>();
  for (const entry of entries) {
    const path = checkedPath(entry.path);
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth++) {
      const parent = names.slice(0, depth).join('/');
      const known = byPath.get(parent);
      if (known === undefined) {
        byPath.set(parent, { path: parent, mode: FOLDER });
      } else if ((known.mode & 0o170000) !== S_IFDIR) {
        throw new RangeError(`"${parent}" cannot be both a file and the folder of "${path}"`);
      }
    }
    if (byPath.has(path) && (entry.mode & 0o170000) !== S_IFDIR) {
      throw new RangeError(`two entries are named "${path}"`);
    }
    byPath.set(path, entry);
  }
  return [...byPath.values()];
}

function checkedPath(path: string): string {
  const bad = path.split('/').some((name) => name === '' || name === '.' || name === '..');
  if (bad || path.includes('\0')) {
    throw new RangeError(`"${path}" is not a path inside an archive`);
  }
  return path;
}

function member(entry: CpioEntry, inode: number): Buffer[] {
  const name = Buffer.from(entry.path + '\0');
  const content = typeof entry.content === 'string' ? Buffer.from(entry.content) : (entry.content ?? Buffer.alloc(0));
  const fields = [
    inode,
    entry.mode,
    0, // uid
    0, // gid
    (entry.mode & 0o170000) === S_IFDIR ? 2 : 1, // links
    0, // modification time
    content.length,
    0, // device the archive was made on: major, minor
    0,
    entry.device?.major ?? 0,
    entry.device?.minor ?? 0,
    name.length,
    0, // checksum, unused in this form
  ];
  const header = '070701' + fields.map((field) => field.toString(16).toUpperCase().padStart(8, '0')).join('');
  const head = padded(Buffer.concat([Buffer.from(header, 'latin1'), name]));
  return [head, padded(Buffer.from(content.buffer, content.byteOffset, content.byteLength))];
}

/** Header with name, and content, each end on a multiple of four. */
function padded(bytes: Buffer): Buffer {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - rest)]);
}
