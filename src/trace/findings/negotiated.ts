/**
 * What the latest INIT of the capture agreed on, from its bytes; `known` false where the capture began later, or a
 * fault or a debugger changed that INIT.
 */
import { InitFlag } from '../../protocol/fuse/flags';
import { InHeader, InitIn, InitOut, OutHeader } from '../../protocol/fuse/structs';
import { u16At, u32At } from './bytes';
import type { Row } from './row';

const IN = InHeader.size;
const OUT = OutHeader.size;

export class Negotiated {
  known = false;
  /** Bits of INIT's flags and flags2 that both sides named. */
  flags = 0;
  flags2 = 0;
  maxWrite = 0;
  /** 0 without MAX_PAGES. */
  maxPages = 0;
  /** The row of that INIT. */
  row = 0;

  take(row: Row): void {
    this.known = false;
    this.flags = this.flags2 = this.maxWrite = this.maxPages = 0;
    if (row.changed || !row.succeeded) return;
    const request = row.request();
    if (request.length < IN + InitIn.offset.flags + 4) return;
    const offered = u32At(request, IN + InitIn.offset.flags);
    const offered2 = u32At(request, IN + InitIn.offset.flags2);
    const reply = row.reply();
    if (reply.length < OUT + InitOut.offset.time_gran) return;
    this.known = true;
    this.row = row.index;
    this.flags = (offered & u32At(reply, OUT + InitOut.offset.flags)) >>> 0;
    if (this.flags & InitFlag.INIT_EXT) this.flags2 = (offered2 & u32At(reply, OUT + InitOut.offset.flags2)) >>> 0;
    this.maxWrite = u32At(reply, OUT + InitOut.offset.max_write);
    if (this.flags & InitFlag.MAX_PAGES) this.maxPages = u16At(reply, OUT + InitOut.offset.max_pages);
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  has2(flag: number): boolean {
    return (this.flags2 & flag) !== 0;
  }
}
