import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { onPath } from '../../src/vm/onPath';
import { cpuList, onCpu, oneCpu } from '../../src/vm/oneCpu';
import { need } from '../support/need';

describe('one CPU for a guest and its daemons', () => {
  it("reads the kernel's lists of CPUs", () => {
    assert.deepEqual(cpuList('0-3,8,10-11'), [0, 1, 2, 3, 8, 10, 11]);
    assert.deepEqual(cpuList('5'), [5]);
    assert.deepEqual(cpuList(''), []);
    assert.deepEqual(cpuList('nonsense'), []);
  });

  it('puts what it starts on exactly one CPU that this process may use', function () {
    need(this, 'taskset', onPath('taskset') !== undefined, 'not on PATH');
    const [program, ...words] = onCpu(oneCpu(), ['cat', '/proc/self/status']);
    const status = execFileSync(program, words, { encoding: 'utf8' });
    assert.match(status, /^Cpus_allowed_list:\s*\d+$/m);
  });

  it('changes nothing where it cannot be had', () => assert.deepEqual(onCpu(undefined, ['cat']), ['cat']));

  it('takes another CPU for the next guest, where there is one', function () {
    need(this, 'taskset', onPath('taskset') !== undefined, 'not on PATH');
    const first = oneCpu();
    const second = oneCpu();
    const several = Number(execFileSync('nproc', { encoding: 'utf8' })) > 1;
    assert.equal(first !== second, several);
  });
});
