/**
 * permission-errors: EACCES and EPERM, by who asked for what, with the mode and owner of the inode (of the folder, for
 * a request with a name) from the latest reply before it that told them; and whether that mode explains the refusal.
 */
import { O_ACCMODE } from '../../protocol/fuse/flags';
import { Errno, errnoName } from '../../protocol/errno';
import { opcodeByNumber } from '../../protocol/fuse/opcodes';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import { Groups } from './groups';
import { grown, NodeIndex } from './nodeIndex';
import type { Observed } from './observed';
import type { Row } from './row';
import { openFlagsOf } from './opens';
import { MOST_NODES, NAMED } from './thresholds';
import { octal, placeOf, times } from './words';

/** Mode and owner of the inode that a refused request names, at that time. */
interface Owner {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The bits of rwx that the request needs; 7 where that is not only a matter of the mode. */
  readonly needed: number;
}

export class PermissionErrors implements Detector {
  readonly ownOnly = true;
  private readonly nodes = new NodeIndex(MOST_NODES);
  private mode = new Float64Array(64);
  private uid = new Float64Array(64);
  private gid = new Float64Array(64);
  private readonly proof: Proof;
  private readonly groups = new Groups<string>();
  /** By the first row of a group. */
  private readonly owners = new Map<number, Owner>();

  constructor(private readonly context: DetectorContext) {
    this.proof = new Proof(context.rows);
  }

  take(row: Row): void {
    if (row.opcode === Opcode.FORGET) return void this.nodes.remove(row.nodeid);
    if (row.error !== -Errno.EACCES && row.error !== -Errno.EPERM) return;
    // So fcntl(2) may say as well that somebody else has the lock.
    if (row.error === -Errno.EACCES && (row.opcode === Opcode.SETLK || row.opcode === Opcode.SETLKW)) return;
    this.proof.add(row.index);
    const before = this.groups.size;
    const where = `${row.nodeid} ${placeOf(this.context.capture, row.index)}`;
    this.groups.add(`${row.opcode} ${row.error} ${row.uid} ${row.gid} ${where}`, row.index);
    const slot = this.nodes.find(row.nodeid);
    if (this.groups.size === before || slot < 0) return;
    this.owners.set(row.index, {
      mode: this.mode[slot],
      uid: this.uid[slot],
      gid: this.gid[slot],
      needed: neededBits(row),
    });
  }

  observe(_row: Row, inode: Observed): void {
    const slot = this.nodes.add(inode.nodeid);
    if (slot < 0) return;
    if (slot >= this.mode.length) {
      this.mode = grown(this.mode, slot + 1);
      this.uid = grown(this.uid, slot + 1);
      this.gid = grown(this.gid, slot + 1);
    }
    this.mode[slot] = inode.mode;
    this.uid[slot] = inode.uid;
    this.gid[slot] = inode.gid;
  }

  restart(): void {
    this.nodes.clear();
  }

  end(): readonly Finding[] {
    const { total } = this.proof;
    if (total === 0) return [];
    const largest = this.groups.largest(NAMED);
    const lines = largest.map(([, { row, count }]) => this.line(row, count));
    const more = this.groups.size - largest.length;
    if (more > 0) lines.push(`${more} more of other kinds`);
    const { capture } = this.context;
    const path = capture.path(capture.columns.path[largest[0][1].row]);
    return [finding('permission-errors', this.proof, `${times(total, 'refusal')}: ${lines.join('; ')}.`, { path })];
  }

  private line(row: number, count: number): string {
    const { columns } = this.context.capture;
    const opcode = opcodeByNumber(columns.opcode[row]);
    const who = `uid ${columns.uid[row]} gid ${columns.gid[row]}`;
    const what = `${opcode?.name ?? columns.opcode[row]} ${placeOf(this.context.capture, row)} ${errnoName(columns.error[row])}`;
    const often = count > 1 ? ` (${count} times)` : '';
    const owner = this.owners.get(row);
    if (!owner) return `${who}: ${what}${often}, whose owner and mode are not in the capture`;
    const which = opcode && opcode.names.length > 0 ? 'its folder' : 'it';
    const known = `${which} has mode ${octal(owner.mode)} and owner ${owner.uid}:${owner.gid}`;
    return `${who}: ${what}${often}; ${known}, ${explanation(owner, columns.uid[row], columns.gid[row])}`;
  }
}

/** What OPEN needs of the file, by its access mode (O_RDONLY, O_WRONLY, O_RDWR, and 3, which is both). */
const openNeeds = [4, 2, 6, 6] as const;

function neededBits(row: Row): number {
  switch (row.opcode) {
    case Opcode.OPEN:
      return openNeeds[openFlagsOf(row) & O_ACCMODE];
    case Opcode.OPENDIR:
      return 4;
    case Opcode.LOOKUP:
      return 1;
    case Opcode.CREATE:
    case Opcode.MKDIR:
    case Opcode.MKNOD:
    case Opcode.SYMLINK:
    case Opcode.LINK:
    case Opcode.UNLINK:
    case Opcode.RMDIR:
    case Opcode.RENAME:
    case Opcode.RENAME2:
      return 3;
    default:
      return 7;
  }
}

/** What the mode says to the caller. */
function explanation({ mode, uid, gid, needed }: Owner, caller: number, group: number): string {
  if (caller === 0) {
    return 'and root asked: the daemon itself lacks the right (its user, capabilities, a read-only or immutable file)';
  }
  const owns = caller === uid;
  const bits = owns ? (mode >> 6) & 7 : group === gid ? (mode >> 3) & 7 : mode & 7;
  // What is a matter of more than the mode (SETATTR, SETXATTR) mostly takes the owner.
  if ((bits & needed) === needed || (owns && needed === 7)) {
    return "which allows it: a folder above, the daemon's own rights or a rule beyond the mode refused it";
  }
  if (owns) return `which gives its owner only ${rwx(bits)}`;
  const who = group === gid ? 'the group' : 'others';
  return `which gives ${who} only ${rwx(bits)} (supplementary groups are not in the capture)`;
}

const rwx = (bits: number): string => `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`;
