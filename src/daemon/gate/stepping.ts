/**
 * Single steps through the host calls of a handler: notes each call, and stops before and after it where it is told to.
 *
 * Owns whose handler runs watched, and who stands in it. A call that this thread makes stops the whole worker
 * (`standstill.ts`), since a handler cannot be left in its middle; one that another thread makes stops its request
 * only, when its result has come.
 */
import type { Held } from '../../control/debug';
import type { Done, HostCalls } from '../../fs/hostCalls';
import type { Tracer } from '../trace/tracer';
import type { CallNote, CallNotes } from './callNotes';
import type { GateRequest } from './gateRequest';
import type { Holding } from './holding';
import type { Standstill } from './standstill';
import { type CallWatch, steppedCalls } from './steppedCalls';

export interface SteppingParts {
  readonly holding: Holding;
  readonly tracer: Tracer;
  readonly notes: CallNotes;
  readonly standstill: Standstill;
  /** The plain calls, and where they are put to be told of. */
  readonly plainCalls: HostCalls;
  readonly callsOf: { calls: HostCalls };
}

export const STEP: Held['why'] = { kind: 'step', ids: [], text: '' };

export class Stepping implements CallWatch {
  private readonly calls: HostCalls;
  private running: GateRequest | undefined;
  private standing: GateRequest | undefined;

  constructor(private readonly parts: SteppingParts) {
    this.calls = steppedCalls(parts.plainCalls, this);
  }

  /** The handler of a request that was held begins. */
  begin(request: GateRequest): void {
    this.running = request;
    this.parts.tracer.stalled = 0;
    this.parts.callsOf.calls = this.calls;
  }

  end(): void {
    this.parts.callsOf.calls = this.parts.plainCalls;
    this.running = undefined;
    this.parts.tracer.stalled = 0;
  }

  /** One that stands at a host call goes on: in its handler, or with the result that another thread has brought. */
  goOn(request: GateRequest): void {
    if (request.inHandler) {
      this.standing = undefined;
      return;
    }
    const { then } = request;
    request.then = undefined;
    this.parts.holding.stood(request);
    request.phase = 'waiting';
    this.parts.tracer.resume(request.exchange.trace);
    then?.();
    this.parts.tracer.suspend();
  }

  get watching(): boolean {
    return this.running !== undefined;
  }

  // Host calls of the handler that runs.

  made(call: number, values: readonly number[], make: () => number): number {
    const request = this.running;
    if (!request) return make();
    const note = this.parts.notes.note(call, values, false);
    this.atCall(request, note, true);
    const began = performance.now();
    const result = make();
    note.result = result;
    note.milliseconds = performance.now() - began;
    if (request.id !== 0 && request.next === 'in') this.stand(request, 'called', true);
    return result;
  }

  /** A `Listener`: what stands in place of `done`. */
  handedOver(call: number, values: readonly number[], done: Done): Done {
    const request = this.running;
    if (!request) return done;
    const note = this.parts.notes.note(call, values, true);
    this.atCall(request, note, false);
    const began = performance.now();
    const { holding } = this.parts;
    return (result) => {
      note.result = result;
      note.milliseconds = performance.now() - began;
      if (holding.draining || !request.valid || request.id === 0 || request.next !== 'in') return done(result);
      request.then = () => done(result);
      request.call = note;
      holding.move(request, 'called', STEP);
    };
  }

  private atCall(request: GateRequest, note: CallNote, inCall: boolean): void {
    request.noteCall(note);
    request.call = note;
    if (request.id !== 0 && (request.next === 'in' || request.next === 'over')) this.stand(request, 'call', inCall);
  }

  /** Stops here, in the middle of the handler, until it is told to go on. */
  private stand(request: GateRequest, phase: 'call' | 'called', inCall: boolean): void {
    const { holding, standstill } = this.parts;
    this.standing = request;
    request.inHandler = true;
    request.heldAt = performance.now();
    holding.move(request, phase, STEP);
    const ended = standstill.wait(() => this.standing === request);
    this.standing = undefined;
    request.inHandler = false;
    if (ended === 'quit') {
      request.next = 'run';
      holding.letGo(request, 'quit');
    } else if (ended === 'frontEnd' && request.id !== 0) request.next = 'out';
    holding.stood(request, inCall);
  }
}
