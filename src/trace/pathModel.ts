/**
 * What each nodeid is called: a model of the guest's view of the share, built from what requests and replies say.
 *
 * A node has names, each in a folder that is a node as well; so a rename of a folder changes one name and every path
 * below it. The name that the traffic showed last comes first: it is the one whose path is given. A node without a name
 * any more keeps its last one, marked: `/a.db (deleted)`, as /proc/PID/fd has it. Knows nothing of messages
 * (`pathTraffic.ts`) and makes no texts (`pathTable.ts`).
 *
 * Everything is in typed arrays: a guest may know millions of nodes. A path is computed once and kept in the node until
 * a folder is renamed. A folder that only a liar can put into itself, or too deep, is an unknown one.
 */
import { roomFor } from './columnArray';
import { WIDE_HIGH } from './nodeNumbers';
import { PairMap } from './pairMap';
import { DEEPEST_PATH, NO_PATH, ROOT_PATH, type PathTable } from './pathTable';

/** What a reply says of the node behind a name. */
export interface FoundNode {
  high: number;
  low: number;
  generation: number;
  /** 1: it has no name but this one. 0: not known. */
  nlink: number;
  folder: boolean;
}

/** A node as views and findings see it. */
export interface NodeFacts {
  readonly nodeid: bigint;
  readonly lookups: number;
  /** nodeid of the folder of its first name. */
  readonly parent: bigint | undefined;
  /** Paths (numbers), the one used last first. */
  readonly paths: readonly number[];
}

const enum State {
  Free = 0,
  Known = 1,
  /** Forgotten, but with something in it that is not. */
  Forgotten = 2,
}

/** All columns of a node, and of a name. */
const BYTES_A_NODE = 38;
const BYTES_A_NAME = 29;

const ROOT = 1;
const NONE = 0;

export class PathModel {
  /** How many nodeids the guest knows, the root included, as far as the traffic has shown. */
  known = 0;
  /** How often a node with a number beyond what a double holds exactly became known. */
  wide = 0;
  /** Whether the path given last rests on something learned before packets were lost. */
  unsure = false;
  /** Whether the node whose path was given last has further names. */
  several = false;

  // Nodes; 0 is none, 1 the root.
  private high = new Uint32Array(64);
  private low = new Uint32Array(64);
  private generation = new Uint32Array(64);
  private lookups = new Float64Array(64);
  /** The first of a list of names. */
  private firstName = new Int32Array(64);
  /** Names in this folder. */
  private children = new Uint32Array(64);
  private state = new Uint8Array(64);
  /** The path that was computed in `keptEpoch`. */
  private keptPath = new Uint32Array(64);
  private keptUnsure = new Uint8Array(64);
  private keptEpoch = new Uint32Array(64);
  private nodeCount = 1;
  private freeNode = NONE;

  // Names; 0 is none.
  private nameNode = new Int32Array(64);
  private nameParent = new Int32Array(64);
  private nameText = new Uint32Array(64);
  private nextName = new Int32Array(64);
  private previousName = new Int32Array(64);
  /** How often packets had been lost when the traffic last showed it. */
  private nameLosses = new Uint32Array(64);
  private nameDeleted = new Uint8Array(64);
  /** Tells a name from others that had its number before. */
  private nameSerial = new Uint32Array(64);
  private lastSerial = 0;
  private nameCount = 1;
  private freeName = NONE;

  private byNodeid = new PairMap();
  /** Parent (node) and name to the name's number. */
  private byName = new PairMap();
  private epoch = 1;
  /** From 1: what was learned at 0 is unsure from the beginning. */
  private losses = 1;
  private readonly walk = new Int32Array(DEEPEST_PATH + 1);

  constructor(private readonly paths: PathTable) {
    this.reset();
  }

  /** One that knows the same, and goes its own way; paths have the same numbers in both. */
  copy(): PathModel {
    const copy = new PathModel(this.paths);
    const nodes = this.nodeCount;
    const names = this.nameCount;
    copy.high = this.high.slice(0, nodes);
    copy.low = this.low.slice(0, nodes);
    copy.generation = this.generation.slice(0, nodes);
    copy.lookups = this.lookups.slice(0, nodes);
    copy.firstName = this.firstName.slice(0, nodes);
    copy.children = this.children.slice(0, nodes);
    copy.state = this.state.slice(0, nodes);
    copy.keptPath = this.keptPath.slice(0, nodes);
    copy.keptUnsure = this.keptUnsure.slice(0, nodes);
    copy.keptEpoch = this.keptEpoch.slice(0, nodes);
    copy.nameNode = this.nameNode.slice(0, names);
    copy.nameParent = this.nameParent.slice(0, names);
    copy.nameText = this.nameText.slice(0, names);
    copy.nextName = this.nextName.slice(0, names);
    copy.previousName = this.previousName.slice(0, names);
    copy.nameLosses = this.nameLosses.slice(0, names);
    copy.nameDeleted = this.nameDeleted.slice(0, names);
    copy.nameSerial = this.nameSerial.slice(0, names);
    copy.nodeCount = nodes;
    copy.nameCount = names;
    copy.freeNode = this.freeNode;
    copy.freeName = this.freeName;
    copy.lastSerial = this.lastSerial;
    copy.byNodeid = this.byNodeid.copy();
    copy.byName = this.byName.copy();
    copy.known = this.known;
    copy.epoch = this.epoch;
    copy.losses = this.losses;
    return copy;
  }

  /** Bytes that a copy takes, about. */
  get size(): number {
    return this.nodeCount * BYTES_A_NODE + this.nameCount * BYTES_A_NAME + this.byNodeid.bytes + this.byName.bytes;
  }

  /** A session begins or ends: the guest knows the root only. */
  reset(): void {
    this.byNodeid.clear();
    this.byName.clear();
    this.nodeCount = 1;
    this.nameCount = 1;
    this.freeNode = NONE;
    this.freeName = NONE;
    this.known = 0;
    this.epoch++;
    this.addNode(0, 1);
  }

  /** Packets were lost: what is known from before may no longer be so. */
  lost(): void {
    this.losses++;
    this.epoch++;
  }

  /** The path of a node; 0 where it has no known name. */
  pathOf(high: number, low: number): number {
    const node = this.byNodeid.get(high, low);
    this.unsure = false;
    this.several = false;
    if (node < 0 || (node !== ROOT && this.firstName[node] === NONE)) return NO_PATH;
    this.several = this.nextName[this.firstName[node]] !== NONE;
    const path = this.path(node);
    this.unsure = this.keptUnsure[node] !== 0;
    return path;
  }

  /** The name, as a number of its own, that a node goes by now; 0: none. For `pathByName`. */
  nameOf(high: number, low: number): number {
    const node = this.byNodeid.get(high, low);
    return node < 0 ? NONE : this.firstName[node];
  }

  /** Numbers of names are used again; these 31 bits are not. */
  serialOf(name: number): number {
    return this.nameSerial[name];
  }

  /** The path of a node by the name it went by earlier, if that is still one of its names; else 0. */
  pathByName(high: number, low: number, name: number, serial: number): number {
    const node = this.byNodeid.get(high, low);
    const isIts = node > ROOT && this.nameNode[name] === node && this.nameSerial[name] === serial;
    return isIts ? this.pathOfName(name) : NO_PATH;
  }

  /** The path of a name in a folder. */
  pathIn(high: number, low: number, name: number): number {
    const node = this.byNodeid.get(high, low);
    this.unsure = false;
    if (node < 0) return this.paths.child(this.paths.unknown(high, low), name);
    const folder = this.path(node);
    this.unsure = this.keptUnsure[node] !== 0;
    return this.paths.child(this.paths.depth(folder) < DEEPEST_PATH ? folder : this.paths.unknown(high, low), name);
  }

  /**
   * The name in that folder is this node; `lookups` more of it. Name 0: only the lookups count. `listed`: a listing
   * showed it, so nobody has used the name yet.
   */
  found(parentHigh: number, parentLow: number, name: number, is: FoundNode, lookups: number, listed = false): void {
    let node = this.byNodeid.get(is.high, is.low);
    if (node > ROOT && this.generation[node] !== 0 && is.generation !== 0 && this.generation[node] !== is.generation) {
      this.forgetNode(node);
      node = -1;
    }
    if (node < 0) node = this.addNode(is.high, is.low);
    if (is.generation !== 0) this.generation[node] = is.generation;
    this.lookups[node] += lookups;
    if (name === 0 || node === ROOT) return;
    const parent = this.nodeAt(parentHigh, parentLow);
    const old = this.byName.get(parent, name);
    if (old > 0 && this.nameNode[old] === node) {
      this.confirm(old, listed);
    } else {
      if (old > 0) this.removeName(old);
      this.addName(node, parent, name, listed);
    }
    if (is.folder || is.nlink === 1) this.onlyName(node, this.byName.get(parent, name));
  }

  /** It has no name that is known. */
  nameless(high: number, low: number): void {
    const node = this.byNodeid.get(high, low);
    if (node > ROOT) this.onlyName(node, NONE);
  }

  /** What is known of a node's name was learned before packets were lost. */
  doubt(high: number, low: number): void {
    const node = this.byNodeid.get(high, low);
    if (node <= ROOT || this.firstName[node] === NONE) return;
    this.nameLosses[this.firstName[node]] = 0;
    this.touch(node);
  }

  /** A node without a name that was made in a folder (TMPFILE): called by `name`, deleted from the beginning. */
  foundNameless(parentHigh: number, parentLow: number, name: number, is: FoundNode, lookups: number): void {
    this.found(parentHigh, parentLow, 0, is, lookups);
    const node = this.byNodeid.get(is.high, is.low);
    if (node <= ROOT || this.firstName[node] !== NONE) return;
    const added = this.addName(node, this.nodeAt(parentHigh, parentLow), name, false);
    this.removeName(added);
  }

  /** The name is not there, or not any more. */
  removed(parentHigh: number, parentLow: number, name: number): void {
    const found = this.nameAt(parentHigh, parentLow, name);
    if (found > 0) this.removeName(found);
  }

  renamed(
    fromHigh: number,
    fromLow: number,
    oldName: number,
    toHigh: number,
    toLow: number,
    newName: number,
    exchange: boolean,
  ): void {
    const moved = this.nameAt(fromHigh, fromLow, oldName);
    const target = this.nameAt(toHigh, toLow, newName);
    if (exchange) {
      if (moved > 0) this.byName.delete(this.nameParent[moved], oldName);
      if (target > 0) this.byName.delete(this.nameParent[target], newName);
      if (moved > 0) this.place(moved, this.nodeAt(toHigh, toLow), newName);
      if (target > 0) this.place(target, this.nodeAt(fromHigh, fromLow), oldName);
      return;
    }
    // Two names of one inode: rename(2) does nothing.
    if (moved > 0 && target > 0 && this.nameNode[moved] === this.nameNode[target]) return;
    if (target > 0) this.removeName(target);
    if (moved <= 0) return;
    this.byName.delete(this.nameParent[moved], oldName);
    this.place(moved, this.nodeAt(toHigh, toLow), newName);
  }

  /** The lookup count falls; at zero the node is no more. */
  forgotten(high: number, low: number, lookups: number): void {
    const node = this.byNodeid.get(high, low);
    if (node <= ROOT) return;
    this.lookups[node] -= lookups;
    if (this.lookups[node] <= 0) this.forgetNode(node);
  }

  facts(nodeid: bigint): NodeFacts | undefined {
    const node = this.byNodeid.get(Number(nodeid >> 32n), Number(nodeid & 0xffff_ffffn));
    if (node < 0) return undefined;
    const paths: number[] = node === ROOT ? [ROOT_PATH] : [];
    const first = this.firstName[node];
    for (let name = first; name !== NONE; name = this.nextName[name]) paths.push(this.pathOfName(name));
    const up = first === NONE ? NONE : this.nameParent[first];
    const parent = up === NONE ? undefined : (BigInt(this.high[up]) << 32n) | BigInt(this.low[up]);
    return { nodeid, lookups: this.lookups[node], parent, paths };
  }

  /** Calls `visit` with each nodeid that the guest knows (as a double) and its lookup count. */
  forEach(visit: (nodeid: number, lookups: number) => void): void {
    for (let node = ROOT; node < this.nodeCount; node++) {
      if (this.state[node] !== (State.Known as number)) continue;
      visit(this.high[node] * 0x1_0000_0000 + this.low[node], this.lookups[node]);
    }
  }

  // Paths

  /** The path of a node as a folder: `?N` where it has no name. */
  private path(node: number): number {
    if (this.keptEpoch[node] === this.epoch) return this.keptPath[node];
    const { walk, firstName, keptEpoch, epoch } = this;
    let depth = 0;
    let at = node;
    while (keptEpoch[at] !== epoch && at !== ROOT && firstName[at] !== NONE && depth <= DEEPEST_PATH) {
      walk[depth++] = at;
      at = this.nameParent[firstName[at]];
    }
    if (depth > DEEPEST_PATH) {
      // Not kept: what others in a circle are called must not depend on which of them was asked for first.
      this.keptUnsure[node] = 1;
      return this.pathFromUnknown(firstName[node]);
    }
    if (keptEpoch[at] !== epoch) {
      this.keep(at, at === ROOT ? ROOT_PATH : this.paths.unknown(this.high[at], this.low[at]), 0);
    }
    while (depth > 0) {
      const below = walk[--depth];
      const name = firstName[below];
      const unsure = this.nameLosses[name] < this.losses ? 1 : this.keptUnsure[this.nameParent[name]];
      this.keep(below, this.pathOfName(name), unsure);
    }
    return this.keptPath[node];
  }

  private keep(node: number, path: number, unsure: number): void {
    this.keptPath[node] = path;
    this.keptUnsure[node] = unsure;
    this.keptEpoch[node] = this.epoch;
  }

  private pathOfName(name: number): number {
    const parent = this.nameParent[name];
    const folder = this.keptEpoch[parent] === this.epoch ? this.keptPath[parent] : this.path(parent);
    return this.paths.depth(folder) < DEEPEST_PATH ? this.inFolder(folder, name) : this.pathFromUnknown(name);
  }

  private pathFromUnknown(name: number): number {
    const parent = this.nameParent[name];
    return this.inFolder(this.paths.unknown(this.high[parent], this.low[parent]), name);
  }

  private inFolder(folder: number, name: number): number {
    const text = this.nameText[name];
    return this.nameDeleted[name] !== 0 ? this.paths.deletedChild(folder, text) : this.paths.child(folder, text);
  }

  /** The node's path has changed, and those of everything in it. */
  private touch(node: number): void {
    if (this.children[node] > 0) this.epoch++;
    else this.keptEpoch[node] = 0;
  }

  // Names

  private nameAt(parentHigh: number, parentLow: number, name: number): number {
    const parent = this.byNodeid.get(parentHigh, parentLow);
    return parent < 0 ? -1 : this.byName.get(parent, name);
  }

  private addName(node: number, parent: number, text: number, listed: boolean): number {
    const first = this.firstName[node];
    if (first !== NONE && this.nameDeleted[first] !== 0) this.dropName(first);
    const name = this.freeName === NONE ? this.nameCount++ : this.freeName;
    if (name === this.freeName) this.freeName = this.nextName[name];
    else this.growNames();
    this.nameNode[name] = node;
    this.nameParent[name] = parent;
    this.nameText[name] = text;
    this.nameDeleted[name] = 0;
    this.nameSerial[name] = this.lastSerial = (this.lastSerial + 1) & 0x7fff_ffff;
    this.nameLosses[name] = this.losses;
    this.children[parent]++;
    this.byName.set(parent, text, name);
    this.enlist(name, listed);
    this.touch(node);
    return name;
  }

  /** Into its node's list: first, or second where it was only listed. */
  private enlist(name: number, listed: boolean): void {
    const node = this.nameNode[name];
    const first = this.firstName[node];
    const after = listed ? first : NONE;
    const next = after === NONE ? first : this.nextName[after];
    this.previousName[name] = after;
    this.nextName[name] = next;
    if (next !== NONE) this.previousName[next] = name;
    if (after === NONE) this.firstName[node] = name;
    else this.nextName[after] = name;
  }

  private delist(name: number): void {
    const previous = this.previousName[name];
    const next = this.nextName[name];
    if (previous === NONE) this.firstName[this.nameNode[name]] = next;
    else this.nextName[previous] = next;
    if (next !== NONE) this.previousName[next] = previous;
  }

  /** The traffic shows that the name still is what it was. */
  private confirm(name: number, listed: boolean): void {
    const node = this.nameNode[name];
    const moves = !listed && this.firstName[node] !== name;
    if (moves) {
      this.delist(name);
      this.enlist(name, false);
    }
    if (moves || this.nameLosses[name] < this.losses) this.touch(node);
    this.nameLosses[name] = this.losses;
  }

  /** A folder, or a file with one link: what else it was called is over, whoever renamed it. */
  private onlyName(node: number, only: number): void {
    for (let name = this.firstName[node]; name !== NONE;) {
      const next = this.nextName[name];
      if (name !== only) {
        if (this.nameDeleted[name] === 0) this.byName.delete(this.nameParent[name], this.nameText[name]);
        this.dropName(name);
        this.touch(node);
      }
      name = next;
    }
  }

  /** A name is gone; the last one of a node stays with it, marked. */
  private removeName(name: number): void {
    const node = this.nameNode[name];
    this.byName.delete(this.nameParent[name], this.nameText[name]);
    if (this.firstName[node] === name && this.nextName[name] === NONE) this.nameDeleted[name] = 1;
    else this.dropName(name);
    this.touch(node);
  }

  /** Out of the list and free; it is in no index any more. */
  private dropName(name: number): void {
    const parent = this.nameParent[name];
    this.delist(name);
    this.recycle(name);
    this.leave(parent);
  }

  private recycle(name: number): void {
    this.nameNode[name] = NONE;
    this.nextName[name] = this.freeName;
    this.freeName = name;
  }

  /** A name that is in no index goes to another place. */
  private place(name: number, parent: number, text: number): void {
    const from = this.nameParent[name];
    this.nameParent[name] = parent;
    this.nameText[name] = text;
    this.children[parent]++;
    this.byName.set(parent, text, name);
    this.delist(name);
    this.enlist(name, false);
    this.touch(this.nameNode[name]);
    this.leave(from);
  }

  // Nodes

  private nodeAt(high: number, low: number): number {
    const node = this.byNodeid.get(high, low);
    return node < 0 ? this.addNode(high, low) : node;
  }

  private addNode(high: number, low: number): number {
    const node = this.freeNode === NONE ? this.nodeCount++ : this.freeNode;
    if (node === this.freeNode) this.freeNode = this.firstName[node];
    else this.growNodes();
    this.high[node] = high;
    this.low[node] = low;
    this.generation[node] = 0;
    this.lookups[node] = 0;
    this.firstName[node] = NONE;
    this.children[node] = 0;
    this.state[node] = State.Known;
    this.keptEpoch[node] = 0;
    this.byNodeid.set(high, low, node);
    if (high >= WIDE_HIGH) this.wide++;
    this.known++;
    return node;
  }

  /** The nodeid means nothing any more; a folder with something in it stays, so that those paths do. */
  private forgetNode(node: number): void {
    this.byNodeid.delete(this.high[node], this.low[node]);
    this.known--;
    for (let name = this.firstName[node]; name !== NONE; name = this.nextName[name]) {
      if (this.nameDeleted[name] === 0) this.byName.delete(this.nameParent[name], this.nameText[name]);
    }
    this.state[node] = State.Forgotten;
    this.sweep(node);
  }

  /** A folder has one name less. */
  private leave(folder: number): void {
    this.children[folder]--;
    this.sweep(folder);
  }

  /** Frees a forgotten node that has nothing in it, then the folders that had nothing but it. */
  private sweep(from: number): void {
    const left = [from];
    for (let node = left.pop(); node !== undefined; node = left.pop()) {
      if (this.state[node] !== (State.Forgotten as number) || this.children[node] > 0) continue;
      for (let name = this.firstName[node]; name !== NONE;) {
        const next = this.nextName[name];
        const parent = this.nameParent[name];
        this.children[parent]--;
        this.recycle(name);
        left.push(parent);
        name = next;
      }
      this.state[node] = State.Free;
      this.firstName[node] = this.freeNode;
      this.freeNode = node;
    }
  }

  private growNodes(): void {
    const { nodeCount } = this;
    if (nodeCount <= this.high.length) return;
    this.high = roomFor(this.high, nodeCount);
    this.low = roomFor(this.low, nodeCount);
    this.generation = roomFor(this.generation, nodeCount);
    this.lookups = roomFor(this.lookups, nodeCount);
    this.firstName = roomFor(this.firstName, nodeCount);
    this.children = roomFor(this.children, nodeCount);
    this.state = roomFor(this.state, nodeCount);
    this.keptPath = roomFor(this.keptPath, nodeCount);
    this.keptUnsure = roomFor(this.keptUnsure, nodeCount);
    this.keptEpoch = roomFor(this.keptEpoch, nodeCount);
  }

  private growNames(): void {
    const { nameCount } = this;
    if (nameCount <= this.nameNode.length) return;
    this.nameNode = roomFor(this.nameNode, nameCount);
    this.nameParent = roomFor(this.nameParent, nameCount);
    this.nameText = roomFor(this.nameText, nameCount);
    this.nextName = roomFor(this.nextName, nameCount);
    this.previousName = roomFor(this.previousName, nameCount);
    this.nameLosses = roomFor(this.nameLosses, nameCount);
    this.nameDeleted = roomFor(this.nameDeleted, nameCount);
    this.nameSerial = roomFor(this.nameSerial, nameCount);
  }
}
