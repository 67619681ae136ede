/** Requests to be had by the thousand: any bytes, any numbers in the right shape, good ones with something changed. */
import fc from 'fast-check';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import { opcodes } from '../../src/protocol/fuse/opcodes';
import { text } from '../driver/pack';
import { ROOT } from './cell';
import { type Known, goodRequests, request } from './goodRequests';

/** They end the session: then everything is refused until the next one. Good requests are mutated into them as well. */
const ENDING: readonly number[] = [Opcode.INIT, Opcode.DESTROY];

/** One time in twelve a value, else none. */
const rarely = <T>(what: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 11 }, { arbitrary: what, weight: 1 });

const name = fc.oneof(
  fc.constantFrom('file', 'folder', 'inside', '..', '.', '', '../outside/canary', 'a/b', 'x'.repeat(256)),
  fc.string({ maxLength: 8 }),
);

const wildNumber = fc.oneof(
  fc.nat(16).map(BigInt),
  fc.constantFrom(2n ** 64n - 1n, 2n ** 63n, 2n ** 63n - 1n, 2n ** 53n, 2n ** 32n, 2n ** 31n, 4096n, 65536n),
  fc.bigInt(0n, 2n ** 64n - 1n),
);

export const anyBytes = fc.uint8Array({ maxLength: 300 });

/** Arguments of the opcode's own shape, each number any number, then names or bytes. */
export function shaped(known: Known): fc.Arbitrary<Uint8Array> {
  const number = fc.oneof(wildNumber, fc.constantFrom(ROOT, known.file, known.fh, known.folder, known.folderHandle));
  return fc.constantFrom(...opcodes.filter((row) => !ENDING.includes(row.number))).chain((row) =>
    fc
      .tuple(
        number,
        fc.array(number, { minLength: 8, maxLength: 8 }),
        fc.array(name, { maxLength: 2 }),
        fc.uint8Array({ maxLength: 64 }),
        rarely(fc.integer({ min: -8, max: 8 })),
      )
      .map(([nodeid, values, names, rest, wrongBy]) => {
        const parts: Uint8Array[] = row.in.map((table) => {
          const bytes = new Uint8Array(table.size);
          const words = new DataView(bytes.buffer);
          // Mostly one 64-bit field or two of 32 bits: both get their share of odd numbers.
          for (let i = 0; i + 8 <= table.size; i += 8) words.setBigUint64(i, values[(i >> 3) % 8], true);
          return bytes;
        });
        parts.push(...names.map((one) => text(one)), rest);
        const bytes = request(row.number, nodeid, ...parts);
        if (wrongBy !== undefined) new DataView(bytes.buffer).setUint32(0, bytes.length + wrongBy, true);
        return bytes;
      }),
  );
}

/** Good requests, most of them with a few bytes changed, or cut short. */
export function mutated(known: Known): fc.Arbitrary<Uint8Array> {
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0x80, 0xff));
  return fc
    .tuple(fc.nat(), fc.array(fc.tuple(fc.nat(), byte), { maxLength: 3 }), rarely(fc.nat()))
    .map(([which, changes, cut]) => {
      const good = goodRequests(known);
      const bytes = good[which % good.length];
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return cut === undefined ? bytes : bytes.slice(0, cut % bytes.length);
    });
}
