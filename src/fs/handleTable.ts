/**
 * Open files and folders: slot (the handle) to descriptor, node, flags and state.
 *
 * Does not make system calls. A handle whose calls run on another thread is kept until they have ended (`hold`,
 * `letGo`), for the number of a closed descriptor may at once be another file's.
 */
import type { Handle, Node } from './fileSystem';
import { LAST_GENERATION } from './generations';
import { larger } from './growth';

export const enum HandleKind {
  Free = 0,
  File = 1,
  Folder = 2,
  /** Released by the guest, while calls on it run. */
  Ending = 3,
}

/** How a read of this handle is made so that it does not stop the others. */
export const enum ReadWay {
  /** Ask for what is cached; what is not goes to another thread. */
  NoWait = 0,
  /** The file system lives in memory: read at once. */
  Plain = 1,
  /** Always on another thread: direct I/O, or a file system that cannot say what is cached. */
  Elsewhere = 2,
}

/** What close(2) in the guest means for the host's file. */
export const enum FlushWay {
  /** Not known yet of this device. */
  Unknown = 0,
  /** Nothing: opened for reading, or of a local file system. */
  Nothing = 1,
  /** The host is asked: errors of delayed writes come with it (NFS, CIFS, FUSE). */
  Ask = 2,
}

const FIRST_CAPACITY = 256;
const NONE = -1;

export class HandleTable {
  fd = new Int32Array(FIRST_CAPACITY);
  node = new Int32Array(FIRST_CAPACITY);
  /** The flags that the host's descriptor was opened with. */
  flags = new Int32Array(FIRST_CAPACITY);
  kind = new Uint8Array(FIRST_CAPACITY);
  readWay = new Uint8Array(FIRST_CAPACITY);
  flushWay = new Uint8Array(FIRST_CAPACITY);
  /** 1 once flock(2) has been asked for. */
  flocked = new Uint8Array(FIRST_CAPACITY);
  generation = new Uint32Array(FIRST_CAPACITY);
  /** Of a folder: the position at which the descriptor stands, 64 opaque bits. */
  positionLow = new Uint32Array(FIRST_CAPACITY);
  positionHigh = new Uint32Array(FIRST_CAPACITY);
  private running = new Int32Array(FIRST_CAPACITY);
  private nextFree = new Int32Array(FIRST_CAPACITY);
  private firstFree = NONE;
  private unused = 0;
  count = 0;

  open(
    fd: number,
    node: Node,
    flags: number,
    kind: HandleKind.File | HandleKind.Folder,
    readWay: ReadWay,
    flushWay: FlushWay,
  ): Handle {
    let handle = this.firstFree;
    if (handle !== NONE) {
      this.firstFree = this.nextFree[handle];
    } else {
      handle = this.unused++;
      if (handle === this.fd.length) this.grow();
    }
    this.fd[handle] = fd;
    this.node[handle] = node;
    this.flags[handle] = flags;
    this.kind[handle] = kind;
    this.readWay[handle] = readWay;
    this.flushWay[handle] = flushWay;
    this.flocked[handle] = 0;
    this.positionLow[handle] = 0;
    this.positionHigh[handle] = 0;
    this.running[handle] = 0;
    this.count++;
    return handle;
  }

  /** A wire fh (low: slot, high: generation) as an open handle of this node, or -1. */
  resolve(fhLow: number, fhHigh: number, node: Node): Handle | number {
    return fhLow < this.unused &&
      this.generation[fhLow] === fhHigh &&
      this.node[fhLow] === node &&
      (this.kind[fhLow] === HandleKind.File || this.kind[fhLow] === HandleKind.Folder)
      ? fhLow
      : NONE;
  }

  /** A call on the handle's descriptor begins on another thread. */
  hold(handle: Handle): void {
    this.running[handle]++;
  }

  /** It has ended. True when the handle was released meanwhile: it must be freed now, its descriptor closed. */
  letGo(handle: Handle): boolean {
    return --this.running[handle] === 0 && this.kind[handle] === HandleKind.Ending;
  }

  /** The guest has released it. True when nothing runs on it: it must be freed now; else `letGo` will say so. */
  end(handle: Handle): boolean {
    this.kind[handle] = HandleKind.Ending;
    return this.running[handle] === 0;
  }

  /** The slot may be used again, under a new generation, until it has had the last one. */
  free(handle: Handle): void {
    this.kind[handle] = HandleKind.Free;
    this.fd[handle] = NONE;
    this.count--;
    if (this.generation[handle] === LAST_GENERATION) return;
    this.generation[handle]++;
    this.nextFree[handle] = this.firstFree;
    this.firstFree = handle;
  }

  /** Every handle that the guest has open. The callee may end the one it is given. */
  forEach(visit: (handle: Handle) => void): void {
    for (let handle = 0; handle < this.unused; handle++) {
      if (this.kind[handle] === HandleKind.File || this.kind[handle] === HandleKind.Folder) visit(handle);
    }
  }

  private grow(): void {
    const capacity = this.fd.length * 2;
    this.fd = larger(this.fd, new Int32Array(capacity));
    this.node = larger(this.node, new Int32Array(capacity));
    this.flags = larger(this.flags, new Int32Array(capacity));
    this.kind = larger(this.kind, new Uint8Array(capacity));
    this.readWay = larger(this.readWay, new Uint8Array(capacity));
    this.flushWay = larger(this.flushWay, new Uint8Array(capacity));
    this.flocked = larger(this.flocked, new Uint8Array(capacity));
    this.generation = larger(this.generation, new Uint32Array(capacity));
    this.positionLow = larger(this.positionLow, new Uint32Array(capacity));
    this.positionHigh = larger(this.positionHigh, new Uint32Array(capacity));
    this.running = larger(this.running, new Int32Array(capacity));
    this.nextFree = larger(this.nextFree, new Int32Array(capacity));
  }
}
