/** How far a guest has come with booting: what it has said of it, when it is up, and why it is not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Trouble, trouble } from '../base/catalogue';
import { type BackEnd, whileRunning } from './backEnd';
import type { GuestEvent } from './commandChannel';
import { likelyReason } from './diagnosis';
import type { TextTail } from './textTail';

/** What a guest that boots is watched by. */
export interface BootWatch {
  readonly kind: 'qemu' | 'uml';
  readonly kvm: boolean;
  /** Milliseconds; 0: however long it takes. */
  readonly patience: number;
  readonly backEnds: readonly BackEnd[];
  /** Settles when the guest's program has ended. */
  readonly ended: Promise<unknown>;
  /** Resolves with what is wrong with QMP. */
  readonly qmpOver: Promise<Trouble> | undefined;
  /** Its console and what its program says. */
  readonly log: TextTail;
}

export class Boot {
  private reached: 'nothing' | 'init' | 'ready' = 'nothing';
  private failed: string[] = [];
  private release: string | undefined;
  private stopped = false;
  private settled!: Promise<void>;
  private settle: () => void = () => {};

  constructor() {
    this.again();
  }

  again(): void {
    this.reached = 'nothing';
    this.failed = [];
    this.release = undefined;
    this.settled = new Promise((resolve) => (this.settle = resolve));
  }

  /** QEMU stopped the guest's processors, as it does on an internal error. */
  stop(): void {
    this.stopped = true;
    this.settle();
  }

  take(event: GuestEvent): void {
    if (event.kind === 'started') {
      this.reached = 'init';
    } else if (event.kind === 'failed') {
      this.failed.push(event.what);
    } else {
      this.reached = 'ready';
      this.release = event.release;
      this.settle();
    }
  }

  /** Resolves with the release of the kernel when everything is mounted, throws a Trouble when that does not happen. */
  async up(watch: BootWatch): Promise<string> {
    const { patience, backEnds, ended, qmpOver } = watch;
    const late = patience === 0 ? [] : [sleep(patience, 'late' as const, { ref: false })];
    const first = await backEnds.reduce<Promise<unknown>>(
      (until, backEnd) => whileRunning(backEnd, until),
      Promise.race([this.settled, ...late, ended, ...(qmpOver === undefined ? [] : [qmpOver])]),
    );
    if (first instanceof Trouble) throw first;
    if (this.release !== undefined && this.failed.length === 0) return this.release;
    throw this.trouble(watch, first === 'late');
  }

  private trouble({ kind, kvm, backEnds, log }: BootWatch, late: boolean): Trouble {
    const { reached, failed, stopped } = this;
    const end = stopped ? 'ended' : late ? 'late' : failed.length > 0 ? 'failed' : 'ended';
    const { why, remedy, sign, lines = 15 } = likelyReason({ kind, kvm, end, reached, failed, log });
    const last = log.lines(lines, sign).map((line) => `\n  | ${line}`);
    const daemons = backEnds.flatMap((backEnd) => backEnd.log.lines(5)).map((line) => `\n  daemon | ${line}`);
    return trouble('guestNotUp', why, [...last, ...daemons].join(''), remedy);
  }
}
