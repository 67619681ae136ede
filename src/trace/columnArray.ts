/** Typed arrays that grow by doubling: what is beyond the old length is zero. */

type Column = Float64Array | Float32Array | Uint32Array | Int32Array | Uint16Array | Int16Array | Uint8Array;

/** The same array when `length` elements fit into it, else a larger one with the same content. */
export function roomFor<A extends Column>(array: A, length: number): A {
  if (length <= array.length) return array;
  const make = array.constructor as new (length: number) => A;
  const larger = new make(Math.max(length, 2 * array.length));
  larger.set(array);
  return larger;
}
