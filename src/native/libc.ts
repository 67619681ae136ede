/**
 * The C library, called through koffi in its fastest style: every argument an integer (addresses are doubles below
 * 2^53), every result an integer. Nothing outside of this folder imports koffi.
 *
 * Symbols are taken from the running program itself, so that glibc and musl both serve. Never declare a pointer or a
 * structure here: conversions cost ten times a call.
 */
import koffi from 'koffi';

const program = koffi.load(null);

export type NativeCall = (...values: number[]) => number;

/** A 64-bit argument: an address, an offset or a length. */
export const LONG = 'int64_t';
export const INT = 'int';

/** A C function by name. Its result is -1 for failure, with `failure()` telling why. */
export function declare(name: string, result: 'int' | 'int64_t' | 'void', parameters: readonly string[]): NativeCall {
  return program.func(name, result, [...parameters]) as unknown as NativeCall;
}

/** -errno of the call that has just failed on this thread. Valid only directly after it. */
export function failure(): number {
  return -koffi.errno();
}

/** What failed, with its errno's number, for set-up work where an exception is the right answer. */
export class NativeError extends Error {
  constructor(
    readonly call: string,
    readonly errno: number,
  ) {
    super(`${call}: errno ${errno}`);
  }
}

/** `result` of a set-up call, or a NativeError when it is -1. */
export function checked(call: string, result: number): number {
  if (result === -1) throw new NativeError(call, koffi.errno());
  return result;
}
