/**
 * xattr-storm: GETXATTRs of one name for the same inode, answered that it is not there, again and again.
 *
 * Once or twice for an inode is what ls -l does with a whole tree, and does not count.
 */
import { Errno } from '../../protocol/errno';
import { InitFlag } from '../../protocol/fuse/flags';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { GetxattrIn, InHeader } from '../../protocol/fuse/structs';
import { decodeText, quote } from '../../protocol/text';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import { grown, NodeIndex } from './nodeIndex';
import type { Row } from './row';
import { MOST_HANDLES, xattrs } from './thresholds';
import { percent, times } from './words';

const NAME = InHeader.size + GetxattrIn.size;
const CAPABILITY = 'security.capability';
/** XATTR_NAME_MAX. */
const LONGEST_NAME = 255;

/** One attribute: its bytes, and how often it was asked for by inode. */
class Asked {
  readonly nodes = new NodeIndex(MOST_HANDLES);
  counts = new Float64Array(64);
  /** Right after a WRITE to the same inode. */
  afterWrite = 0;

  constructor(
    readonly name: Uint8Array,
    readonly proof: Proof,
  ) {}

  /** How often this inode was asked for, now included; 0 when there is no room to know. */
  add(nodeid: number): number {
    const known = this.nodes.find(nodeid);
    const slot = known >= 0 ? known : this.nodes.add(nodeid);
    if (slot < 0) return 0;
    if (slot >= this.counts.length) this.counts = grown(this.counts, slot + 1);
    if (known < 0) this.counts[slot] = 0;
    return ++this.counts[slot];
  }
}

export class XattrStorm implements Detector {
  readonly ownOnly = true;
  readonly opcodes = [Opcode.GETXATTR, Opcode.WRITE];
  private readonly names: Asked[] = [];
  private lastWrite = -1;
  private writes = 0;

  constructor(private readonly context: DetectorContext) {}

  take(row: Row): void {
    if (row.opcode === Opcode.WRITE) {
      this.writes++;
      this.lastWrite = row.nodeid;
      return;
    }
    if (row.error !== -Errno.ENODATA && row.error !== -Errno.EOPNOTSUPP) return;
    const asked = this.asked(row.request());
    if (!asked) return;
    if (asked.add(row.nodeid) <= xattrs.free) return;
    asked.proof.add(row.index);
    if (this.lastWrite === row.nodeid) asked.afterWrite++;
  }

  private asked(bytes: Uint8Array): Asked | undefined {
    const end = bytes.indexOf(0, NAME);
    const length = end - NAME;
    if (end < 0 || length > LONGEST_NAME) return undefined;
    for (const each of this.names) {
      if (each.name.length === length && equals(each.name, bytes)) return each;
    }
    if (this.names.length >= xattrs.names) return undefined;
    const added = new Asked(bytes.slice(NAME, end), new Proof(this.context.rows));
    this.names.push(added);
    return added;
  }

  end(): readonly Finding[] {
    const { capture, session } = this.context;
    const found: Finding[] = [];
    for (const { name, nodes, proof, afterWrite } of this.names) {
      if (proof.total < xattrs.requests || proof.total < xattrs.share * capture.count) continue;
      const text = decodeText(name);
      const killpriv = session.known && !session.has(InitFlag.HANDLE_KILLPRIV_V2) && text === CAPABILITY;
      const sentences =
        `${times(proof.total, 'repeated GETXATTR')} of ${quote(text)} for ${times(nodes.count, 'inode')}, all without ` +
        `such an attribute, are ${percent(proof.total, capture.count)} of all requests; ${afterWrite} came between ` +
        `the ${times(this.writes, 'WRITE')} of the same file.`;
      const why = killpriv ? ' HANDLE_KILLPRIV_V2 was not agreed on.' : '';
      const path = capture.path(capture.columns.path[proof.rows()[0]]);
      found.push(finding('xattr-storm', proof, sentences + why, { path }));
    }
    return found;
  }
}

function equals(name: Uint8Array, bytes: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[NAME + i]) return false;
  return true;
}
