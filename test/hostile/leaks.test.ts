/**
 * Whatever a guest and the host do to the same few names, in whatever order things are made, found, opened, moved, lost
 * and given back: when the guest has given all back, or begins anew, the daemon holds no descriptor more than before.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { FuseError } from '../driver/fuseCalls';
import { Cell, ROOT, type Victim, needCell } from './cell';
import { heldDescriptors } from './oddDescriptors';

const SEED = 50711;
const ROUNDS = 30;
const STEPS = 200;
const O_RDWR = 2;
const EXCHANGE = 2;
const NAMES = ['a', 'b', 'c', 'd', `long ${'x'.repeat(60)}`];

/** One step: which, and three numbers that choose among what there is. */
type Step = readonly [kind: number, first: number, second: number, third: number];

/** What the guest holds. */
class Holdings {
  readonly lookups = new Map<bigint, number>([[ROOT, 1]]);
  handles: { nodeid: bigint; fh: bigint; folder: boolean }[] = [];

  take(nodeid: bigint): void {
    this.lookups.set(nodeid, (this.lookups.get(nodeid) ?? 0) + 1);
  }

  node(choice: number): bigint {
    const all = [...this.lookups.keys()];
    return all[choice % all.length];
  }
}

describe('what guest and host do to the same names', () => {
  let cell: Cell;
  let victim: Victim;

  before(async function () {
    needCell(this);
    cell = new Cell();
    victim = await cell.attack();
  });
  after(() => cell?.close());

  function guestSteps(held: Holdings): ((a: number, b: number, c: number) => void)[] {
    const { calls } = victim;
    const name = (choice: number): string => NAMES[choice % NAMES.length];
    const opened = (nodeid: bigint, fh: bigint, folder: boolean): void =>
      void held.handles.push({ nodeid, fh, folder });
    const handle = (choice: number): (typeof held.handles)[number] => {
      const found = held.handles[choice % held.handles.length];
      if (!found) throw new FuseError(9, 'no handle');
      return found;
    };
    return [
      (a, b) => held.take(calls.lookup(held.node(a), name(b)).nodeid),
      (a, b) => held.take(calls.mkdir(held.node(a), name(b)).nodeid),
      (a, b) => held.take(calls.symlink(held.node(a), name(b), 'target').nodeid),
      (a, b, c) => held.take(calls.link(held.node(a), held.node(c), name(b)).nodeid),
      (a, b) => {
        const made = calls.create(held.node(a), name(b), O_RDWR, 0o644);
        held.take(made.nodeid);
        opened(made.nodeid, made.fh, false);
      },
      (a) => {
        const made = calls.tmpfile(held.node(a), O_RDWR, 0o644);
        held.take(made.nodeid);
        opened(made.nodeid, made.fh, false);
      },
      (a) => opened(held.node(a), calls.open(held.node(a), O_RDWR).fh, false),
      (a) => opened(held.node(a), calls.opendir(held.node(a)).fh, true),
      (a) => void calls.getattr(held.node(a)),
      (a, b) => calls.unlink(held.node(a), name(b)),
      (a, b) => calls.rmdir(held.node(a), name(b)),
      (a, b, c) => calls.rename(held.node(a), name(b), held.node(c), name(c >> 4)),
      (a, b, c) => calls.rename(held.node(a), name(b), held.node(c), name(c >> 4), EXCHANGE),
      (a) => {
        const one = handle(a);
        for (const { entry } of calls.readdirplus(one.nodeid, one.fh, 0n, 8192)) if (entry) held.take(entry.nodeid);
      },
      (a, b) => {
        const one = handle(a);
        calls.setlk(one.nodeid, one.fh, BigInt(b % 3), { type: b % 3, start: 0n, end: 9n, pid: 1 }, b % 2 === 0);
      },
      (a) => release(handle(a)),
      (a, b) => {
        const nodeid = held.node(a);
        const count = held.lookups.get(nodeid) ?? 0;
        if (nodeid === ROOT) return;
        const given = 1 + (b % count);
        // As in any kernel, what is open is not forgotten.
        if (given === count && held.handles.some((one) => one.nodeid === nodeid)) return;
        calls.forget(nodeid, given);
        if (given === count) held.lookups.delete(nodeid);
        else held.lookups.set(nodeid, count - given);
      },
    ];

    function release(one: { nodeid: bigint; fh: bigint; folder: boolean }): void {
      held.handles = held.handles.filter((other) => other !== one);
      if (one.folder) calls.releasedir(one.nodeid, one.fh);
      else calls.release(one.nodeid, one.fh);
    }
  }

  /** The host does as it likes with names at the top and one below. */
  function hostSteps(): ((a: number, b: number, c: number) => void)[] {
    const at = (choice: number): string => {
      const top = path.join(cell.share, NAMES[choice % NAMES.length]);
      return choice % 3 === 0 ? path.join(top, NAMES[(choice >> 3) % NAMES.length]) : top;
    };
    return [
      (a, b) => fs.renameSync(at(a), at(b)),
      (a) => fs.rmSync(at(a), { recursive: true }),
      // Never through a name that is there: it may be a link of the guest's to a file that must stay as it is.
      (a) => fs.writeFileSync(at(a), 'host', { flag: 'wx' }),
      (a) => fs.mkdirSync(at(a)),
      // To where the host itself cannot stray either.
      (a) => fs.symlinkSync('../nowhere/at/all', at(a)),
    ];
  }

  /** An error is an answer like another. */
  function attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      const isAnswer = error instanceof FuseError || (error as NodeJS.ErrnoException).syscall !== undefined;
      if (!isAnswer) throw error;
    }
  }

  it('leaves nothing open that is forgotten first and then released: these go by different queues', () => {
    const { calls, daemon } = victim;
    const before = heldDescriptors(daemon.pid);
    const made = calls.create(ROOT, 'a', O_RDWR, 0o644);
    calls.setlk(made.nodeid, made.fh, 7n, { type: 1, start: 0n, end: 9n, pid: 1 });
    const folder = calls.mkdir(ROOT, 'b');
    const { fh } = calls.opendir(folder.nodeid);
    calls.forget(made.nodeid);
    calls.forget(folder.nodeid);
    // Their places are taken by others.
    const others = ['a', 'b'].map((name) => calls.lookup(ROOT, name).nodeid);
    calls.release(made.nodeid, made.fh);
    calls.releasedir(folder.nodeid, fh);
    for (const nodeid of others) calls.forget(nodeid);
    assert.equal(heldDescriptors(daemon.pid), before);
    assert.throws(() => calls.release(made.nodeid, made.fh), { code: 'EBADF' });
    fs.rmSync(path.join(cell.share, 'a'));
    fs.rmdirSync(path.join(cell.share, 'b'));
  });

  it(`leaves no descriptor behind (seed ${SEED})`, () => {
    const { calls, daemon } = victim;
    const choice = fc.nat(0xffff);
    const step: fc.Arbitrary<Step> = fc.tuple(fc.nat(1000), choice, choice, choice);
    const before = heldDescriptors(daemon.pid);
    for (let round = 0; round < ROUNDS; round++) {
      const held = new Holdings();
      const guest = guestSteps(held);
      const all = [...guest, ...guest, ...hostSteps()];
      for (const [kind, a, b, c] of fc.sample(step, { seed: SEED + round, numRuns: STEPS })) {
        attempt(() => all[kind % all.length](a, b, c));
      }
      if (round % 2 === 0) {
        const release = (): void => {
          for (const { nodeid, fh, folder } of held.handles) {
            attempt(() => (folder ? calls.releasedir(nodeid, fh) : calls.release(nodeid, fh)));
          }
        };
        release();
        for (const [nodeid, count] of held.lookups) if (nodeid !== ROOT) calls.forget(nodeid, count);
      } else {
        calls.init();
      }
      assert.equal(heldDescriptors(daemon.pid), before, `round ${round}`);
      cell.checkHealth(victim);
      for (const name of NAMES) fs.rmSync(path.join(cell.share, name), { recursive: true, force: true });
    }
  });
});
