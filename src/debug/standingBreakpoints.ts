/** The breakpoints of a session that are set now, with their numbers. Knows no DAP. */
import type { BreakpointRule, ExceptionRule, RuleVerdict } from './breakpoints';
import type { Target } from './target';

/** Lines and functions come from the client apart, and go to the target together. */
export class Breakpoints {
  private nextId = 1;
  private lines: BreakpointRule[] = [];
  private functions: BreakpointRule[] = [];
  readonly exceptionKinds = new Map<number, ExceptionRule['kind']>();

  id(): number {
    return this.nextId++;
  }

  async set(target: Target, of: 'lines' | 'functions', rules: BreakpointRule[]): Promise<readonly RuleVerdict[]> {
    this[of] = rules;
    const verdicts = await target.setBreakpoints([...this.lines, ...this.functions]);
    const refused = new Set(verdicts.filter(({ verified }) => !verified).map(({ id }) => id));
    // What the client was told does not stand is not set again beside others.
    if (this[of] === rules) this[of] = rules.filter(({ id }) => !refused.has(id));
    return verdicts;
  }
}
