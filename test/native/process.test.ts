/** Limits of this process. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Worker } from 'node:worker_threads';
import { descriptorLimit, limitDescriptors, yieldCpu } from '../../src/native/process';

describe('native process', () => {
  const limits = (): number[] =>
    /^Max open files\s+(\d+)\s+(\d+)/m.exec(fs.readFileSync('/proc/self/limits', 'latin1'))?.slice(1).map(Number) ?? [];
  let before: number;

  beforeEach(() => (before = descriptorLimit()));
  afterEach(() => limitDescriptors(before));

  it('knows how many descriptors it may have', () => assert.equal(descriptorLimit(), limits()[0]));

  it('lowers and raises that, within the hard limit', () => {
    const hard = limits()[1];
    assert.equal(limitDescriptors(256), 256);
    assert.deepEqual(limits(), [256, hard], 'the hard limit stays');
    assert.equal(limitDescriptors(300), 300);
  });

  it('asked for more than there can be, takes what there is', () => {
    const got = limitDescriptors(2 ** 40);
    assert.equal(got, limits()[0]);
    assert.equal(got, limits()[1]);
    assert.equal(descriptorLimit(), got);
  });

  /** Runs in a thread of its own, whose name and CPU are nobody else's. */
  async function inThread(script: string): Promise<unknown> {
    const program = `const { parentPort } = require('node:worker_threads');
      const native = require(${JSON.stringify(path.resolve(__dirname, '../../src/native/process.js'))});
      const status = () => require('node:fs').readFileSync('/proc/thread-self/status', 'latin1');
      parentPort.postMessage((() => { ${script} })());`;
    const [result] = (await once(new Worker(program, { eval: true }), 'message')) as [unknown];
    return result;
  }

  it('names a thread, with what the kernel has room for', async () => {
    const name = await inThread(
      `native.nameThread('a name that is long'); return /^Name:\\s*(.*)$/m.exec(status())[1];`,
    );
    assert.equal(name, 'a name that is ');
  });

  it('keeps a thread on a CPU, and says where there is no such one', async () => {
    const allowed = `/^Cpus_allowed_list:\\s*(.*)$/m.exec(status())[1]`;
    const [stays, list] = (await inThread(`return [native.stayOn(0), ${allowed}];`)) as [boolean, string];
    assert.deepEqual([stays, list], [true, '0']);
    assert.deepEqual(await inThread('return [native.stayOn(511), native.stayOn(512)];'), [false, false]);
  });

  it('gives the CPU away and gets it back', () => yieldCpu());
});
