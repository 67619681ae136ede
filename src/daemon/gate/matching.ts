/**
 * What is to be done with a request: the rules and the faults that are about it, asked at its entry and at its reply.
 *
 * Owns the one row that all of them look at. Holds nothing and does no fault: the gate does, with what comes from here.
 * An opcode that no rule and no fault is about costs two looks at tables.
 */
import { OPCODES } from '../../control/rules/selector';
import { OutHeader } from '../../protocol/fuse/structs';
import { machineOf } from '../../protocol/machine';
import type { SessionShape } from '../../protocol/message';
import { OneRow } from '../../trace/filter/filter';
import { Faults } from './faults';
import { type GateRequest, MOST_LOOKED_AT } from './gateRequest';
import { readReply } from './replyBytes';
import { type Matched, Rules } from './rules';

export interface MatchingParts {
  readonly pathOf: (request: GateRequest) => string;
  readonly shape: () => SessionShape | undefined;
  /** Is told what logpoints say. */
  readonly logpoint: (id: number, text: string, request: GateRequest) => void;
}

export class Matching {
  readonly rules: Rules;
  readonly faults: Faults;
  private readonly row = new OneRow(machineOf(process.arch));
  private readonly faultInterest = new Uint8Array(OPCODES);
  private looked: GateRequest | undefined;

  constructor(private readonly parts: MatchingParts) {
    this.faults = new Faults(this.row);
    this.rules = new Rules(this.row, (id, text) => {
      if (this.looked) parts.logpoint(id, text, this.looked);
    });
  }

  get any(): boolean {
    return this.rules.any || this.faults.any;
  }

  /** Faults have changed. */
  refresh(): void {
    this.faultInterest.fill(0);
    this.faults.mark(this.faultInterest);
  }

  /** Why it is to be held before it is handled; the fault that strikes it is noted in it. */
  atEntry(request: GateRequest, opcode: number): Matched {
    const faulty = this.faultInterest[opcode] !== 0;
    if (this.rules.entryInterest[opcode] === 0 && !faulty) return undefined;
    this.look(request);
    const why = this.rules.atEntry(opcode);
    if (faulty) request.fault = this.faults.pick(opcode);
    return why;
  }

  /** Why it is to be held with its reply, of `used` bytes. */
  atReply(request: GateRequest, opcode: number, used: number): Matched {
    if (this.rules.replyInterest[opcode] === 0 || used < OutHeader.size) return undefined;
    const latency = performance.now() - request.taken - request.heldFor;
    this.look(request);
    const { chain, trace } = request.exchange;
    const reply = readReply(chain, Math.min(used, MOST_LOOKED_AT)).u8;
    this.row.answer(reply.subarray(0, used), {
      latency: latency * 1e6,
      host: trace.host * 1e6,
      writing: 0,
      calls: trace.calls,
    });
    return this.rules.atReply(request, opcode, this.row.columns.error[0], latency);
  }

  /** Puts the request into the row. */
  private look(request: GateRequest): void {
    if (request.exchange.taken === undefined) request.fetchAll();
    this.looked = request;
    this.row.take(request.bytes, {
      start: 0,
      queue: request.exchange.queue,
      path: () => (request.path ??= this.parts.pathOf(request)),
      session: this.parts.shape(),
    });
  }
}
