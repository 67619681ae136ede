/** How the tables of typed arrays grow. */

/** `fresh` with the contents of `old`, which is shorter, at its start. */
export function larger<T extends Int32Array | Uint32Array | Uint8Array | Float64Array>(old: T, fresh: T): T {
  fresh.set(old);
  return fresh;
}
