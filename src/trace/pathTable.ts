/**
 * Names and paths by number. A name is bytes, kept once; a path is a folder's path and a name, so that a million paths
 * cost a few words each and their text is made when somebody asks for it.
 *
 * Knows nothing of nodeids: which path something has, `pathModel.ts` finds out.
 */
import { decodeText } from '../protocol/text';
import { roomFor } from './columnArray';
import { mix, PairMap } from './pairMap';

/** How many folders deep a path is told; what is deeper begins at a folder known by its nodeid only. */
export const DEEPEST_PATH = 256;
/** All names together: beyond that a name is not kept. */
const MOST_NAME_BYTES = 1 << 30;

/** Names, each once, as numbers from 1; 0 is no name. */
export class NameTable {
  private bytes = new Uint8Array(4096);
  private used = 0;
  /** Where a name begins; it ends where the next one begins. */
  private starts = new Uint32Array(256);
  /** Hash to the latest name with it; names with the same hash are chained. */
  private readonly byHash = new PairMap();
  private previous = new Uint32Array(256);
  private readonly seed = (Math.random() * 0x1_0000_0000) | 0;
  count = 1;

  /** The number of the name in [from, to). */
  intern(source: Uint8Array, from: number, to: number): number {
    let hash = this.seed;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ source[i], 0x01000193) ^ (hash >>> 15);
    hash = mix(hash);
    const length = to - from;
    const latest = Math.max(0, this.byHash.get(hash, length));
    for (let name = latest; name !== 0; name = this.previous[name])
      if (this.is(name, source, from, length)) return name;
    if (this.used + length > MOST_NAME_BYTES) return 0;
    this.bytes = roomFor(this.bytes, this.used + length);
    for (let i = 0; i < length; i++) this.bytes[this.used + i] = source[from + i];
    const name = this.count++;
    this.starts = roomFor(this.starts, this.count + 1);
    this.previous = roomFor(this.previous, this.count);
    this.starts[name] = this.used;
    this.used += length;
    this.starts[name + 1] = this.used;
    this.previous[name] = latest;
    this.byHash.set(hash, length, name);
    return name;
  }

  private is(name: number, source: Uint8Array, from: number, length: number): boolean {
    const { bytes } = this;
    const start = this.starts[name];
    for (let i = 0; i < length; i++) if (bytes[start + i] !== source[from + i]) return false;
    return true;
  }

  text(name: number): string {
    if (name === 0) return '?';
    return decodeText(this.bytes, this.starts[name], this.starts[name + 1] - this.starts[name]);
  }
}

const enum Kind {
  /** A name in a folder. */
  Name = 0,
  /** The same, of something whose last name was removed. */
  Deleted = 1,
  /** Something whose name is not known: `parent` and `name` are the two words of its nodeid. */
  Unknown = 2,
}

export const NO_PATH = 0;
export const ROOT_PATH = 1;

export class PathTable {
  private parents = new Uint32Array(256);
  private names = new Uint32Array(256);
  private kinds = new Uint8Array(256);
  private depths = new Uint16Array(256);
  private readonly maps = [new PairMap(), new PairMap(), new PairMap()];
  private readonly folderTexts = new Map<number, string>();
  private keptText = 0;
  /** Numbers are below it; 0 is no path, 1 the root. */
  count = 2;

  constructor(private readonly nameTable: NameTable) {}

  /** `name` in the folder whose path is `parent`. */
  child(parent: number, name: number): number {
    return this.add(Kind.Name, parent, name, this.depths[parent] + 1);
  }

  deletedChild(parent: number, name: number): number {
    return this.add(Kind.Deleted, parent, name, this.depths[parent] + 1);
  }

  unknown(nodeidHigh: number, nodeidLow: number): number {
    return this.add(Kind.Unknown, nodeidHigh, nodeidLow, 0);
  }

  depth(path: number): number {
    return this.depths[path];
  }

  private add(kind: Kind, parent: number, name: number, depth: number): number {
    const map = this.maps[kind];
    const known = map.get(parent, name);
    if (known >= 0) return known;
    const path = this.count++;
    this.parents = roomFor(this.parents, this.count);
    this.names = roomFor(this.names, this.count);
    this.kinds = roomFor(this.kinds, this.count);
    this.depths = roomFor(this.depths, this.count);
    this.parents[path] = parent;
    this.names[path] = name;
    this.kinds[path] = kind;
    this.depths[path] = depth;
    map.set(parent, name, path);
    return path;
  }

  /** `/` is the root, '' no path; `?N/name` a name in a folder of which only the nodeid N is known. */
  text(path: number): string {
    if (path === NO_PATH || path >= this.count) return '';
    if (path === ROOT_PATH) return '/';
    const kind: Kind = this.kinds[path];
    if (kind === Kind.Unknown) return this.prefix(path);
    const end = kind === Kind.Deleted ? ' (deleted)' : '';
    return `${this.prefix(this.parents[path])}/${this.nameTable.text(this.names[path])}${end}`;
  }

  /** The text of a folder, without a slash at its end; the folders asked for last are kept. */
  private prefix(folder: number): string {
    if (folder === ROOT_PATH) return '';
    const known = this.folderTexts.get(folder);
    if (known !== undefined) return known;
    let parts = '';
    let at = folder;
    for (; at > ROOT_PATH && this.kinds[at] !== (Kind.Unknown as number); at = this.parents[at]) {
      const end = this.kinds[at] === (Kind.Deleted as number) ? ' (deleted)' : '';
      parts = `/${this.nameTable.text(this.names[at])}${end}${parts}`;
    }
    if (at > ROOT_PATH) parts = `?${(BigInt(this.parents[at]) << 32n) | BigInt(this.names[at])}${parts}`;
    this.keptText += parts.length;
    if (this.folderTexts.size >= KEPT_FOLDERS || this.keptText > MOST_KEPT_TEXT) {
      this.folderTexts.clear();
      this.keptText = parts.length;
    }
    this.folderTexts.set(folder, parts);
    return parts;
  }
}

const KEPT_FOLDERS = 1024;
const MOST_KEPT_TEXT = 4 << 20;
