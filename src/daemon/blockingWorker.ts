/**
 * A thread that makes slow system calls for the queue worker, one after the other. Started at the first of them; ends
 * with the process. Runs as the daemon itself: a call that needs the guest user's credentials is never made here.
 */
import { workerData } from 'node:worker_threads';
import { signal } from '../native/descriptors';
import { LinuxCalls } from '../native/linuxCalls';
import { nameThread } from '../native/process';
import { Call, QUEUED, SLOTS, SlowCallBoard, State } from './slowCalls';

/** What the main thread gives a blocking worker. */
export interface BlockingWorkerData {
  readonly board: SharedArrayBuffer;
  /** eventfd of the queue worker. */
  readonly doneFd: number;
}

const { board: block, doneFd } = workerData as BlockingWorkerData;
const board = new SlowCallBoard(block);
const calls = new LinuxCalls();

function perform(slot: number): number {
  const argument = (index: number): number => board.argument(slot, index);
  const fd = argument(0);
  switch (board.call(slot)) {
    case Call.Preadv:
      return calls.preadv(fd, argument(1), argument(2), argument(3));
    case Call.Pwritev2:
      return calls.pwritev2(fd, argument(1), argument(2), argument(3), argument(4));
    case Call.Fsync:
      return calls.fsync(fd);
    case Call.Fdatasync:
      return calls.fdatasync(fd);
    case Call.Syncfs:
      return calls.syncfs(fd);
    case Call.Fallocate:
      return calls.fallocate(fd, argument(1), argument(2), argument(3));
    case Call.Close:
      return calls.close(fd);
    case Call.CopyFileRange:
      return calls.copyFileRange(fd, argument(1), argument(2), argument(3), argument(4), argument(5));
  }
}

nameThread('slow calls');
for (;;) {
  const seen = Atomics.load(board.words, QUEUED);
  for (let slot = 0; slot < SLOTS; slot++) {
    const state = board.stateIndex(slot);
    if (Atomics.compareExchange(board.words, state, State.Queued, State.Running) !== State.Queued) continue;
    board.finish(slot, perform(slot));
    signal(doneFd);
  }
  Atomics.wait(board.words, QUEUED, seen);
}
