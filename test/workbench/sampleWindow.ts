/**
 * A capture of a guest whose DAX window is smaller than what it works with: a database, logs, and files that are
 * refused.
 */
import { DaxNote } from '../../src/fs/dax/frontEnd';
import { windowCapture } from '../trace/dax/windowCapture';

const RANGE = 2 << 20;
const NAMES = ['orders.db', 'orders.db-wal', 'index.bin', 'history.log', 'model.weights', 'photos.tar', 'app.so'];

/** `ranges`: how many the window has. */
export function sampleWindow(ranges = 128, turns = 6 * ranges): Uint8Array {
  return windowCapture((c) => {
    c.shmem(ranges * RANGE);
    c.init(1);
    NAMES.forEach((name, index) => c.lookup(2 + index, name, 10 + index));
    let random = 7;
    const next = (below: number): number => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      return Math.floor((random / 2 ** 32) * below);
    };
    const there = new Map<number, number>();
    let time = 20;
    for (let turn = 0; turn < turns; turn++) {
      time += turn % 40 === 0 ? 120 : 4;
      const file = next(NAMES.length + 3) % NAMES.length;
      // Three quarters of the window are used at first; then places are used again, some more than others.
      const fresh = turn < ranges * 0.75;
      const place = fresh ? turn : Math.floor((next(ranges) * next(ranges)) / ranges);
      const last = there.get(place);
      if (last !== undefined) c.remove(time, 10 + last, [[place * RANGE, RANGE]]);
      there.set(place, file);
      c.setup(
        time + 1,
        10 + file,
        next(12) * RANGE,
        RANGE,
        place * RANGE,
        file % 2 === 0 ? 3 : 2,
        turn % 97 === 96 ? -16 : 0,
      );
      if (turn % 5 === 0) c.read(time + 2, 10 + file, 4096);
      if (turn % 8 === 0) c.mapAnswered(time + 2, (next(5) + 1) / 8);
    }
    c.note(time + 3, DaxNote.Refused, 30, 'var/empty.lock', 'it is empty');
    c.note(
      time + 4,
      DaxNote.Refused,
      31,
      'src/main.c',
      'its size is not a multiple of 4096 (--dax-policy tails serves it)',
    );
    c.note(time + 5, DaxNote.Changed, 10, 'model.bin', 'the host changes it while it is mapped');
    c.note(time + 6, DaxNote.Shortened, 11, 'orders.db', 'the host has shortened it from 8192 to 4096 bytes');
    c.end(time + 50);
  });
}
