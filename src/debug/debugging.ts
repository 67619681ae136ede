/**
 * One debug session's state, which the handlers share: what is debugged, what the client can do, what is stopped, and
 * the numbers that were given to the client for things inside of a stopped request.
 */
import { trouble } from '../base/catalogue';
import type { Entry } from './entries';
import { Breakpoints } from './standingBreakpoints';
import type { Launched, Surroundings } from './surroundings';
import type { Stop, Target, TargetEvents } from './target';

export type Tell = (name: string, body: object | undefined, now: boolean) => void;

export interface ClientFacts {
  readonly linesStartAt1: boolean;
  readonly columnsStartAt1: boolean;
  /** What a completion's start counts from. */
  readonly firstCompletionColumn: 0 | 1;
  readonly progress: boolean;
  readonly paging: boolean;
  readonly invalidated: boolean;
  readonly memory: boolean;
}

interface Reference {
  readonly thread: number;
  entry: Entry;
  /** Which of `changes` it has taken in. */
  changes: number;
}

export class Debugging {
  client: ClientFacts = {
    linesStartAt1: true,
    columnsStartAt1: true,
    firstCompletionColumn: 1,
    progress: false,
    paging: false,
    invalidated: false,
    memory: false,
  };
  /** Launch or attach has been asked for, and was not refused. */
  starting = false;
  /** Nothing is to be held: what would hold requests is refused. */
  noDebug = false;
  /** Breakpoints are set: it has begun, or is about to. */
  configured = false;
  launched: Launched | undefined;
  command: string | undefined;
  readonly breakpoints = new Breakpoints();
  /** Why each stopped thread stopped, the latest last. */
  readonly stops = new Map<number, Stop>();
  private target_: Target | undefined;
  private readonly references = new Map<number, Reference>();
  private nextReference = 1;
  /** Of held requests, counted. */
  changes = 0;
  private nextProgress = 1;
  /** How work is cancelled that is under way, whether or not the client is shown it. */
  private readonly cancels = new Map<string, () => void>();
  /** Nothing is answered for any more. */
  over = false;

  constructor(
    readonly surroundings: Surroundings,
    private readonly tell: Tell,
  ) {}

  /** Throws a Trouble before launch or attach. */
  get target(): Target {
    if (this.target_ === undefined) throw trouble('debugNotStarted');
    return this.target_;
  }

  get started(): boolean {
    return this.target_ !== undefined;
  }

  /** Throws a Trouble when the client has gone meanwhile: nothing is held for nobody. */
  use(target: Target): void {
    if (this.over) {
      target.close();
      throw trouble('debugCancelled');
    }
    this.target_ = target;
  }

  readonly events: TargetEvents = {
    stopped: (stop) => {
      this.forget(stop.thread);
      const { thread, reason, description, text, rules, aside = false } = stop;
      if (!aside) {
        this.stops.delete(thread);
        this.stops.set(thread, stop);
        this.surroundings.requestChanged?.(thread);
      }
      this.event('stopped', {
        reason,
        description,
        threadId: thread,
        // Others go on, or say themselves that they are stopped.
        allThreadsStopped: false,
        preserveFocusHint: aside,
        ...(text === undefined ? {} : { text }),
        ...(reason === 'breakpoint' || reason === 'function breakpoint' ? { hitBreakpointIds: rules } : {}),
      });
    },
    running: (thread) => {
      this.forget(thread);
      this.stops.delete(thread);
      this.event('continued', { threadId: thread, allThreadsContinued: false });
    },
    threadBegan: (threadId) => this.event('thread', { reason: 'started', threadId }),
    threadEnded: (threadId) => {
      this.forget(threadId);
      this.stops.delete(threadId);
      this.event('thread', { reason: 'exited', threadId });
    },
    output: (category, text) => this.output(category, text),
    progress: (title, cancel) => {
      const { report, end } = this.progress(title, cancel);
      let last = -1;
      return {
        report: (exact) => {
          const percentage = Math.floor(exact);
          // Work tells it far more often.
          if (percentage !== last) report(`${percentage} %`, percentage);
          last = percentage;
        },
        end,
      };
    },
    ended: (text) => {
      if (text !== '') this.output('important', text);
      this.terminated();
    },
  };

  event(name: string, body?: object): void {
    this.tell(name, body, false);
  }

  output(category: string, text: string): void {
    this.event('output', { category, output: text.endsWith('\n') ? text : `${text}\n` });
  }

  terminated(): void {
    if (this.over) return;
    this.over = true;
    this.event('terminated');
  }

  /** Shows how it goes, where the client can show it; `end` is called once. With `cancel` a person may end it. */
  progress(title: string, cancel?: () => void): { report(message: string, percentage?: number): void; end(): void } {
    const progressId = `progress-${this.nextProgress++}`;
    if (cancel !== undefined) this.cancels.set(progressId, cancel);
    const show = (name: string, body: object): void => {
      if (this.client.progress) this.tell(name, { progressId, ...body }, true);
    };
    show('progressStart', { title, ...(cancel === undefined ? {} : { cancellable: true }) });
    return {
      report: (message, percentage) =>
        show('progressUpdate', { message, ...(percentage === undefined ? {} : { percentage }) }),
      end: () => {
        this.cancels.delete(progressId);
        show('progressEnd', {});
      },
    };
  }

  /** One that has ended meanwhile needs no cancelling. */
  cancel(progressId: string): void {
    this.cancels.get(progressId)?.();
  }

  // Numbers that the client has of things in a stopped request

  /** 0 for an entry without parts. */
  refer(thread: number, entry: Entry): number {
    if (entry.children === undefined) return 0;
    const number = this.nextReference++;
    this.references.set(number, { thread, entry, changes: this.changes });
    return number;
  }

  /** Throws a Trouble for one whose request has gone on. */
  referred(number: number): Reference {
    const found = this.references.get(number);
    if (found === undefined)
      throw trouble('debugArgumentBad', 'variables', `${number} is no reference, or not any more`);
    return found;
  }

  forget(thread: number): void {
    for (const [number, reference] of this.references) if (reference.thread === thread) this.references.delete(number);
  }

  /** A held request has been changed. */
  changed(thread: number): void {
    // Numbers stand until the request goes on: who is not told asks by them again.
    this.changes++;
    this.surroundings.requestChanged?.(thread);
    if (this.client.invalidated) this.event('invalidated', { areas: ['stacks', 'variables'], threadId: thread });
  }

  /** The thread that a request without one is about: the one that stopped last. */
  get latestStopped(): number | undefined {
    return [...this.stops.keys()].at(-1);
  }

  /** Everything held goes on; a capture that is still being read is read no further. */
  letGo(): void {
    for (const cancel of this.cancels.values()) cancel();
    this.target_?.close();
    this.target_ = undefined;
  }

  /** The client has gone. A guest that was launched goes on unless it was stopped. */
  end(): void {
    this.over = true;
    this.letGo();
    this.launched?.begin();
  }
}
