/**
 * A DAX window for tests of its books: a front-end that carries orders out when it is told to and reads and writes what
 * it has mapped through its own descriptors; an alarm that rings by hand; and the share in between.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { DAX_AREAS_SIZE, daxAreas } from '../../../src/fs/dax/areas';
import type { NoteFacts, WindowFrontEnd } from '../../../src/fs/dax/frontEnd';
import { parsePolicy } from '../../../src/fs/dax/policy';
import { type FileWindow, ROOT } from '../../../src/fs/fileSystem';
import type { Alarm, HostCalls } from '../../../src/fs/hostCalls';
import { openPassthrough, type PassthroughFileSystem } from '../../../src/fs/passthrough';
import { PASSTHROUGH_AREAS_SIZE, passthroughAreas } from '../../../src/fs/passthroughSetup';
import { LinuxCalls } from '../../../src/native/linuxCalls';
import { pinnedArena } from '../../../src/native/memory';
import { CLIENT_AREA, Client } from '../client';
import { LaterCalls, OPTIONS, TimerAlarm } from '../shared';
import { WrappedCalls } from '../wrappedCalls';

interface Mapping {
  readonly fd: number;
  readonly fileOffset: number;
  readonly windowOffset: number;
  readonly length: number;
}

export class HandFrontEnd implements WindowFrontEnd {
  readonly size = 8 << 20;
  ready = true;
  /** Orders wait for `answer`. */
  silent = false;
  /** What it says to an order to map, instead of carrying it out. */
  refuses: (fileOffset: number, windowOffset: number) => number = () => 0;
  readonly mapped: Mapping[] = [];
  readonly orders: string[] = [];
  private readonly waiting: (() => void)[] = [];

  map(fd: number, fileOffset: number, windowOffset: number, length: number, done: (result: number) => void): void {
    const own = fs.openSync(`/proc/self/fd/${fd}`, 'r+');
    this.order(`map ${windowOffset} ${length}`, () => {
      const taken = this.mapped.some((one) => overlap(one, windowOffset, length));
      const refused = this.refuses(fileOffset, windowOffset) || (taken ? -22 : 0);
      if (refused < 0) fs.closeSync(own);
      else this.mapped.push({ fd: own, fileOffset, windowOffset, length });
      done(refused);
    });
  }

  unmap(windowOffset: number, length: number, done: (result: number) => void): void {
    this.order(`unmap ${windowOffset} ${length}`, () => {
      const at = this.mapped.findIndex((one) => one.windowOffset === windowOffset && one.length === length);
      for (const { fd } of at < 0 ? [] : this.mapped.splice(at, 1)) fs.closeSync(fd);
      done(at < 0 ? -22 : 0);
    });
  }

  private order(text: string, carryOut: () => void): void {
    this.orders.push(text);
    if (this.silent) this.waiting.push(carryOut);
    else carryOut();
  }

  /** The order that has waited longest, or all of them, in turn. */
  answer(count = Infinity): void {
    for (const carryOut of this.waiting.splice(0, count)) carryOut();
  }

  /** As a reset does, without a word. */
  drop(): void {
    for (const { fd } of this.mapped.splice(0)) fs.closeSync(fd);
  }

  load(at: number, length: number): string {
    const bytes = Buffer.alloc(length);
    const { fd, place } = this.placeOf(at, length);
    fs.readSync(fd, bytes, 0, length, place);
    return bytes.toString('latin1');
  }

  store(at: number, text: string): void {
    const { fd, place } = this.placeOf(at, text.length);
    fs.writeSync(fd, text, place, 'latin1');
  }

  private placeOf(at: number, length: number): { fd: number; place: number } {
    const one = this.mapped.find(({ windowOffset, length: all }) => at >= windowOffset && at < windowOffset + all);
    assert.ok(one && at + length <= one.windowOffset + one.length, `nothing is mapped at ${at}`);
    return { fd: one.fd, place: one.fileOffset + at - one.windowOffset };
  }
}

const overlap = (one: Mapping, windowOffset: number, length: number): boolean =>
  one.windowOffset < windowOffset + length && windowOffset < one.windowOffset + one.length;

class HandAlarm implements Alarm {
  delay = 0;
  private then: (() => void) | undefined;

  wake(afterMilliseconds: number, then: () => void): void {
    this.delay = afterMilliseconds;
    this.then = then;
  }

  get isSet(): boolean {
    return this.then !== undefined;
  }

  ring(): void {
    const { then } = this;
    this.then = undefined;
    then?.();
  }
}

export interface HandWindow {
  readonly folder: string;
  readonly file: PassthroughFileSystem;
  readonly window: FileWindow & NonNullable<PassthroughFileSystem['window']>;
  readonly client: Client;
  readonly frontEnd: HandFrontEnd;
  readonly alarm: HandAlarm;
  readonly wrapped: WrappedCalls;
  readonly notes: NoteFacts[];
  /** Watches that have not ended. */
  readonly watches: Set<number>;
  /** Each look at the clock is so much later. */
  readonly time: { now: number; step: number };
  at(name: string): string;
  node(name: string): number;
  setup(node: number, fileOffset: number, windowOffset?: number, length?: number): Promise<number>;
  remove(windowOffset: number, length?: number): Promise<number>;
  end(): void;
}

/** What Linux maps at a time. */
export const RANGE = 2 << 20;

export function handWindow(policy = 'tails', descriptors = 64): HandWindow {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'window-'));
  const daxAt = CLIENT_AREA + PASSTHROUGH_AREAS_SIZE;
  const arena = pinnedArena(daxAt + DAX_AREAS_SIZE);
  const frontEnd = new HandFrontEnd();
  const alarm = new HandAlarm();
  const wrapped = new WrappedCalls(new LinuxCalls() as HostCalls);
  const notes: NoteFacts[] = [];
  const watches = new Set<number>();
  const time = { now: 0, step: 0 };
  let lastWatch = 0;
  const file = openPassthrough(
    {
      calls: wrapped.calls,
      blocking: new LaterCalls(new LinuxCalls()),
      alarm: new TimerAlarm(),
      arena,
      areas: passthroughAreas(CLIENT_AREA),
      dax: {
        frontEnd,
        changes: {
          watch: () => {
            watches.add(++lastWatch);
            return lastWatch;
          },
          end: (watch) => assert.ok(watches.delete(watch), `${watch} is watched`),
        },
        policy: parsePolicy(policy) ?? assert.fail(policy),
        areas: daxAreas(daxAt),
        alarm,
        noted: (note) => notes.push(note),
        now: () => (time.now += time.step),
      },
    },
    folder,
    { ...OPTIONS, canImpersonate: false, descriptors },
  );
  if (typeof file === 'number') assert.fail(`errno ${-file}`);
  const window = file.window ?? assert.fail('it has a window');
  const client = new Client(file, arena, 0);
  return {
    folder,
    file,
    window,
    client,
    frontEnd,
    alarm,
    wrapped,
    notes,
    watches,
    time,
    at: (name) => path.join(folder, name),
    node: (name) => client.lookup(ROOT, name),
    setup: (node, fileOffset, windowOffset = 0, length = RANGE) =>
      client.outcome((caller) => window.setup(node, fileOffset, length, windowOffset, caller)),
    remove: (windowOffset, length = RANGE) =>
      client.outcome((caller) => window.remove([{ windowOffset, length }], caller)),
    end() {
      frontEnd.silent = false;
      file.close();
      frontEnd.answer();
      frontEnd.drop();
      fs.rmSync(folder, { recursive: true });
    },
  };
}
