/**
 * Runs the conformance list in one place, as mocha tests.
 *
 * A place says which features it has and which cases are known to differ there, each with its reason. A case that is
 * listed as different and passes fails the test: the table must stay true.
 */
import assert from 'node:assert/strict';
import * as path from 'node:path';
import type { Feature } from './case';
import { cases } from './cases';
import type { Posix } from './posix';

export interface OpenPlace {
  /** Root's process in the shared folder. */
  readonly root: Posix;
  /** Root's process in another guest that has the same folder: the cases' further processes are made there. */
  readonly other?: Posix;
  /** The shared folder on the host, with the feature `host`. */
  readonly hostFolder?: string;
  /** What the place looks like while a case hangs, for its error. */
  explain?(): Promise<string>;
  close(): Promise<void>;
}

export interface Place {
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  /** Case name → why it goes otherwise here. */
  readonly differences?: Readonly<Record<string, string>>;
  /** Milliseconds per case. */
  readonly patience?: number;
  open(): Promise<OpenPlace>;
}

export const ALL_FEATURES: readonly Feature[] = [
  'host',
  'posixLocks',
  'flock',
  'xattr',
  'trustedXattr',
  'tmpfile',
  'exchange',
  'whiteout',
  'fileFlags',
  'seekData',
  'copyRange',
  'mmap',
];

export const features = (...without: readonly Feature[]): ReadonlySet<Feature> =>
  new Set(ALL_FEATURES.filter((feature) => !without.includes(feature)));

/** `late` is called when the time is up, and says why. */
async function within<T>(milliseconds: number, work: Promise<T>, late: () => Promise<string>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const end = async (): Promise<void> => reject(new Error(`not done after ${milliseconds} ms\n${await late()}`));
    timer = setTimeout(() => void end(), milliseconds);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Defines the tests. */
export function runCases(place: Place): void {
  let open: OpenPlace | undefined;
  let number = 0;
  /** The case that did not come to its end: what comes after it would only wait as well. */
  let stuck = '';
  const all = Object.values(cases).flat();

  before(async function () {
    this.timeout(180_000);
    open = await place.open();
  });
  after(async function () {
    this.timeout(60_000);
    await open?.close();
  });

  it('has every difference listed by the name of a case', () => {
    const known = new Set(all.map(({ name }) => name));
    assert.deepEqual(
      Object.keys(place.differences ?? {}).filter((name) => !known.has(name)),
      [],
    );
  });

  for (const [family, list] of Object.entries(cases)) {
    describe(family, () => {
      for (const one of list) {
        if (!one.needs.every((feature) => place.features.has(feature))) continue;
        const difference = place.differences?.[one.name];
        it(difference === undefined ? one.name : `${one.name} (differs: ${difference})`, async function () {
          const patience = place.patience ?? 10_000;
          this.timeout(2 * patience + 30_000);
          assert.ok(open);
          assert.equal(stuck, '', 'an earlier case hangs');
          const { root, other = root, hostFolder } = open;
          const folder = `case${++number}`;
          const made: Posix[] = [];
          const make = async (from: Posix): Promise<Posix> => {
            const process = await from.fork();
            await process.chdir(folder);
            await process.umask(0o022);
            made.push(process);
            return process;
          };
          const inTime = <T>(work: Promise<T>): Promise<T> =>
            within(patience, work, async () => {
              stuck = one.name;
              return (await open?.explain?.()) ?? '';
            });
          const begin = async (): Promise<Posix> => {
            await root.mkdir(folder, 0o755);
            return make(root);
          };
          const fork = (): Promise<Posix> => make(other);
          try {
            const fs = await inTime(begin());
            const run = inTime(one.run({ fs, fork, hostFolder: path.join(hostFolder ?? '', folder) }));
            if (difference === undefined) await run;
            else await assert.rejects(run, () => true, 'the difference in the table is gone');
          } finally {
            if (stuck === '') for (const process of made) await process.exit().catch(() => undefined);
          }
        });
      }
    });
  }
}
