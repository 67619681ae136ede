/**
 * Faults that are done to requests without stopping them: which rule is about a request, how often it was, and chance,
 * which is the same in every run with the same seed. What a fault does is `faultActions.ts`.
 */
import { bindFilter, type OneRow, type Predicate } from '../../trace/filter/filter';
import type { FaultAction, FaultRule } from '../../control/rules/faultRule';

export interface Fault {
  readonly id: number;
  readonly action: FaultAction;
}

class Armed implements Fault {
  seen = 0;
  done = 0;
  readonly action: FaultAction;
  private readonly path: Predicate;
  private readonly condition: Predicate;
  private state: number;

  constructor(
    readonly id: number,
    readonly rule: FaultRule,
    readonly fromOptions: boolean,
    row: OneRow,
  ) {
    this.action = rule.action;
    const always = (): boolean => true;
    this.path = rule.path ? bindFilter(rule.path, row) : always;
    this.condition = rule.condition ? bindFilter(rule.condition, row) : always;
    this.state = rule.seed >>> 0;
  }

  strikes(opcode: number): boolean {
    const { rule } = this;
    if (rule.opcodes[opcode] === 0 || this.done >= rule.times || !this.condition(0) || !this.path(0)) return false;
    if (this.seen++ < rule.after) return false;
    if (rule.probability < 1 && this.chance() >= rule.probability) return false;
    this.done++;
    return true;
  }

  /** From 0 up to 1; a splitmix of 32 bits. */
  private chance(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000;
  }
}

export class Faults {
  private armed: Armed[] = [];
  private nextId = 1;

  constructor(private readonly row: OneRow) {}

  get any(): boolean {
    return this.armed.length > 0;
  }

  /** Adds those of the daemon's options. */
  addOptions(rules: readonly FaultRule[]): void {
    for (const rule of rules) this.armed.push(new Armed(this.nextId++, rule, true, this.row));
  }

  /** Replaces those of the debugger; the ids of the new ones, in order. */
  replace(rules: readonly FaultRule[]): number[] {
    const fresh = rules.map((rule) => new Armed(this.nextId++, rule, false, this.row));
    this.armed = [...this.armed.filter(({ fromOptions }) => fromOptions), ...fresh];
    return fresh.map(({ id }) => id);
  }

  /** Opcodes that some rule is about get a 1. */
  mark(interest: Uint8Array): void {
    for (const { rule } of this.armed) rule.opcodes.forEach((meant, opcode) => (interest[opcode] |= meant));
  }

  /** The fault for the request in the row, if any: the first rule that strikes. */
  pick(opcode: number): Fault | undefined {
    for (const one of this.armed) if (one.strikes(opcode)) return one;
    return undefined;
  }

  list(): { id: number; rule: string; seen: number; done: number; fromOptions: boolean }[] {
    return this.armed.map(({ id, rule, seen, done, fromOptions }) => ({
      id,
      rule: rule.text,
      seen,
      done,
      fromOptions,
    }));
  }
}
