/**
 * The inodes the guest knows: slot (the node) to host identity, lookup count and generation, and to the way to it: a
 * descriptor, or a name in a folder that has one.
 *
 * Typed arrays and an open-addressing hash, so that a lookup allocates nothing. Does not make system calls: who removes
 * a node closes its descriptor. Slot 1 is the root and stays for good; slot 0 is never used.
 *
 * A host inode is (mount, device, inode number): one file seen through two mounts is two nodes, as a guest may not see
 * one folder in two places. A descriptor keeps the inode alive, so that its number cannot be given to another file; of
 * an inode known by name the time of its birth is kept as well, to notice when that has happened.
 */
import { ROOT, type Node } from './fileSystem';
import { LAST_GENERATION } from './generations';
import { larger } from './growth';

const NO_SLOT = 0;
const FIRST_CAPACITY = 1024;
const NOT_BORROWED = -1;

/** Bytes for a name, with its NUL. Inodes with longer names have a descriptor from the start. */
const NAME_ROOM = 48;

export class NodeTable {
  /** Descriptor of the inode, or -1. O_PATH unless `lender` says whose it is. Owned by whoever fills the table. */
  fd = new Int32Array(FIRST_CAPACITY);
  /** The handle whose open descriptor `fd` is, for a file just created; else -1. */
  lender = new Int32Array(FIRST_CAPACITY);
  /** The folder in which an inode without a descriptor has its name; else 0. */
  parent = new Int32Array(FIRST_CAPACITY);
  /** How many inodes have this one as `parent`. */
  children = new Int32Array(FIRST_CAPACITY);
  /** A mix of the time of birth. */
  birth = new Int32Array(FIRST_CAPACITY);
  private names = new Uint8Array(FIRST_CAPACITY * NAME_ROOM);
  /** 1 while `find` can find the node. */
  private findable = new Uint8Array(FIRST_CAPACITY);
  /** st_mode >> 12. */
  type = new Uint8Array(FIRST_CAPACITY);
  device = new Uint32Array(FIRST_CAPACITY);
  mount = new Uint32Array(FIRST_CAPACITY);
  generation = new Uint32Array(FIRST_CAPACITY);
  lookups = new Float64Array(FIRST_CAPACITY);
  inoLow = new Uint32Array(FIRST_CAPACITY);
  inoHigh = new Uint32Array(FIRST_CAPACITY);
  private nextFree = new Int32Array(FIRST_CAPACITY);

  private firstFree = NO_SLOT;
  /** Slots from here on were never used. */
  private unused = ROOT;
  /** Nodes alive. */
  count = 0;

  /** Slots by hash; twice the capacity and a power of two, so at most half full. */
  private buckets = new Int32Array(FIRST_CAPACITY * 2);
  private bucketMask = FIRST_CAPACITY * 2 - 1;

  /** The node of a host inode, or 0 when it is not known. */
  find(mount: number, device: number, inoLow: number, inoHigh: number): Node {
    let bucket = inodeHash(mount, device, inoLow, inoHigh) & this.bucketMask;
    for (;;) {
      const slot = this.buckets[bucket];
      if (
        slot === NO_SLOT ||
        (this.inoLow[slot] === inoLow &&
          this.inoHigh[slot] === inoHigh &&
          this.device[slot] === device &&
          this.mount[slot] === mount)
      ) {
        return slot;
      }
      bucket = (bucket + 1) & this.bucketMask;
    }
  }

  /** Adds an inode that is not known yet, with a lookup count of one. The first one added becomes the root. */
  insert(fd: number, type: number, mount: number, device: number, inoLow: number, inoHigh: number): Node {
    let slot = this.firstFree;
    if (slot !== NO_SLOT) {
      this.firstFree = this.nextFree[slot];
    } else {
      slot = this.unused;
      if (slot === this.fd.length) this.grow();
      this.unused++;
    }
    this.fd[slot] = fd;
    this.lender[slot] = NOT_BORROWED;
    this.parent[slot] = NO_SLOT;
    this.children[slot] = 0;
    this.type[slot] = type;
    this.mount[slot] = mount;
    this.device[slot] = device;
    this.inoLow[slot] = inoLow;
    this.inoHigh[slot] = inoHigh;
    this.lookups[slot] = 1;
    this.count++;
    this.putInBucket(slot);
    return slot;
  }

  /**
   * Keeps the name, a NUL-terminated one in `source`, by which an inode without a descriptor is found again, in place
   * of what was kept before. False when it is too long; then nothing has changed.
   */
  setName(node: Node, parent: Node, source: Uint8Array, at: number): boolean {
    let length = 0;
    while (source[at + length] !== 0) {
      if (++length === NAME_ROOM) return false;
    }
    const cell = node * NAME_ROOM;
    for (let i = 0; i <= length; i++) this.names[cell + i] = source[at + i];
    this.children[parent]++;
    this.dropName(node);
    this.parent[node] = parent;
    return true;
  }

  /** Puts the name kept for a node, and a NUL, at `at`. */
  copyName(node: Node, into: Uint8Array, at: number): void {
    const cell = node * NAME_ROOM;
    for (let i = 0; (into[at + i] = this.names[cell + i]) !== 0; i++);
  }

  /** A node needs its name no more. */
  dropName(node: Node): void {
    this.children[this.parent[node]]--;
    this.parent[node] = NO_SLOT;
  }

  /** The host has given the inode's number to another: the node stays, but is not found any more. */
  disown(node: Node): void {
    this.takeFromBucket(node);
    this.findable[node] = 0;
  }

  /**
   * Ends a node: its slot may be used again, under a new generation, until it has had the last one. The descriptor is
   * the caller's to close.
   */
  remove(node: Node): void {
    if (this.findable[node] !== 0) this.disown(node);
    this.fd[node] = -1;
    this.lookups[node] = 0;
    this.count--;
    if (this.generation[node] === LAST_GENERATION) return;
    this.generation[node]++;
    this.nextFree[node] = this.firstFree;
    this.firstFree = node;
  }

  /** A wire nodeid (low: slot, high: generation) as a live node, or 0. */
  resolve(idLow: number, idHigh: number): Node {
    return idLow < this.unused && this.generation[idLow] === idHigh && this.lookups[idLow] > 0 ? idLow : NO_SLOT;
  }

  /** Every node but the root, for an end of session. The callee may remove the one it is given. */
  forEach(visit: (node: Node) => void): void {
    for (let node = ROOT + 1; node < this.unused; node++) {
      if (this.lookups[node] > 0) visit(node);
    }
  }

  private hashOf(slot: number): number {
    return inodeHash(this.mount[slot], this.device[slot], this.inoLow[slot], this.inoHigh[slot]);
  }

  private putInBucket(slot: number): void {
    this.findable[slot] = 1;
    let bucket = this.hashOf(slot) & this.bucketMask;
    while (this.buckets[bucket] !== NO_SLOT) bucket = (bucket + 1) & this.bucketMask;
    this.buckets[bucket] = slot;
  }

  /** Takes a slot out and closes the gap, so that no search ends too early (Knuth 6.4, algorithm R). */
  private takeFromBucket(slot: number): void {
    const mask = this.bucketMask;
    let gap = this.hashOf(slot) & mask;
    while (this.buckets[gap] !== slot) gap = (gap + 1) & mask;
    for (let next = (gap + 1) & mask; this.buckets[next] !== NO_SLOT; next = (next + 1) & mask) {
      const home = this.hashOf(this.buckets[next]) & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      this.buckets[gap] = this.buckets[next];
      gap = next;
    }
    this.buckets[gap] = NO_SLOT;
  }

  private grow(): void {
    const capacity = this.fd.length * 2;
    this.fd = larger(this.fd, new Int32Array(capacity));
    this.lender = larger(this.lender, new Int32Array(capacity));
    this.parent = larger(this.parent, new Int32Array(capacity));
    this.children = larger(this.children, new Int32Array(capacity));
    this.birth = larger(this.birth, new Int32Array(capacity));
    this.names = larger(this.names, new Uint8Array(capacity * NAME_ROOM));
    this.findable = larger(this.findable, new Uint8Array(capacity));
    this.type = larger(this.type, new Uint8Array(capacity));
    this.device = larger(this.device, new Uint32Array(capacity));
    this.mount = larger(this.mount, new Uint32Array(capacity));
    this.generation = larger(this.generation, new Uint32Array(capacity));
    this.lookups = larger(this.lookups, new Float64Array(capacity));
    this.inoLow = larger(this.inoLow, new Uint32Array(capacity));
    this.inoHigh = larger(this.inoHigh, new Uint32Array(capacity));
    this.nextFree = larger(this.nextFree, new Int32Array(capacity));
    this.buckets = new Int32Array(capacity * 2);
    this.bucketMask = capacity * 2 - 1;
    for (let slot = ROOT; slot < this.unused; slot++) {
      if (this.findable[slot] !== 0) this.putInBucket(slot);
    }
  }
}

/** Its low bits say where a search begins. */
export function inodeHash(mount: number, device: number, inoLow: number, inoHigh: number): number {
  let h = Math.imul(inoLow, 0x9e3779b1) ^ Math.imul(inoHigh ^ mount, 0x85ebca6b) ^ Math.imul(device, 0xc2b2ae35);
  h ^= h >>> 15;
  return Math.imul(h, 0x2c1b3c6d) >>> 3;
}
