/**
 * Times calls that other threads make for the request that waits for them. Their duration includes the way to the
 * other thread and back, which is what the guest waits for.
 */
import type { Listener } from '../heardCalls';
import { now } from './clock';
import type { Tracer } from './tracer';

export function timedElsewhere(trace: Tracer): Listener {
  return (call, values, done) => {
    if (!trace.on) return done;
    const waiting = trace.current;
    const began = now();
    return (result) => {
      // What follows is the waiting request's business, in the middle of whatever is being served.
      const interrupted = trace.current;
      trace.current = waiting;
      trace.calledElsewhere(waiting, call, began, result, values);
      done(result);
      trace.current = interrupted;
    };
  };
}
