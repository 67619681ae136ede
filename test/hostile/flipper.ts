/**
 * The other processor of a hostile guest, as a worker thread: changes words of guest memory back and forth for a while,
 * without a pause.
 */
import { workerData } from 'node:worker_threads';
import { viewOf } from '../../src/native/memory';

export interface FlipperData {
  /** Host address of the guest memory; offsets of the words in it; for how long. */
  readonly address: number;
  readonly flips: readonly number[];
  readonly milliseconds: number;
}

const { address, flips, milliseconds } = workerData as FlipperData;
const views = flips.map((at) => new Uint32Array(viewOf(address + at, 4).buffer));
const good = views.map((view) => view[0]);
const wild = [0, 1, 0xffff_ffff, 0x7fff_ffff, 41, 4096, 0x8000_0000];

const end = Date.now() + milliseconds;
for (let round = 0; Date.now() < end; round++) {
  for (let spin = 0; spin < 200; spin++) {
    const index = (round + spin) % views.length;
    views[index][0] = spin % 2 === 0 ? wild[(round + spin) % wild.length] : good[index];
  }
}
views.forEach((view, index) => (view[0] = good[index]));
