/** Each fault as the guest sees it. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Errno } from '../../../src/protocol/errno';
import { ProtocolViolation } from '../../driver/fuseClient';
import { Debugged } from './debugged';

describe('what faults do', () => {
  let it_: Debugged;

  afterEach(() => it_.end());

  it('errno: the handler does not run', async () => {
    it_ = await Debugged.withFaults('errno=ENOSPC MKDIR');
    assert.throws(() => it_.session.calls.mkdir(1n, 'new'), { code: 'ENOSPC' });
    assert.ok(!fs.existsSync(path.join(it_.home, 'share/new')));
    assert.equal(it_.errorOf(it_.getattr()), 0);
  });

  it('delay: others overtake it', async () => {
    it_ = await Debugged.withFaults('delay=300ms LOOKUP');
    const began = Date.now();
    const slow = it_.lookup('file');
    assert.equal(it_.errorOf(it_.getattr()), 0);
    assert.ok(!it_.done(slow));
    assert.equal(it_.errorOf(slow), 0);
    assert.ok(Date.now() - began >= 295);
  });

  it('short: a READ has half, or so many bytes', async () => {
    it_ = await Debugged.withFaults('short READ /file');
    const { nodeid, fh } = it_.open();
    assert.equal(it_.session.calls.read(nodeid, fh, 0, 4096).length, 2048);
    await it_.setFaults();
    await it_.end();
    it_ = await Debugged.withFaults('short=7 READ');
    const other = it_.open();
    assert.equal(it_.session.calls.read(other.nodeid, other.fh, 0, 4096).length, 7);
    assert.equal(it_.session.calls.read(other.nodeid, other.fh, 0, 3).length, 3);
  });

  it('short: a WRITE writes a part, and says so', async () => {
    it_ = await Debugged.withFaults('short=4,times=1 WRITE');
    const { nodeid, fh } = it_.open();
    assert.equal(it_.session.calls.write(nodeid, fh, 0, Buffer.from('0123456789')), 4);
    const text = (): string => fs.readFileSync(path.join(it_.home, 'share/file'), 'utf8').slice(0, 12);
    assert.equal(text(), '0123abcdabcd');
    assert.equal(it_.session.calls.write(nodeid, fh, 4, Buffer.from('456789')), 6);
    assert.equal(text(), '0123456789cd');
  });

  it('twice: the used ring names it two times', async () => {
    it_ = await Debugged.withFaults('twice,times=1 GETATTR');
    assert.equal(it_.errorOf(it_.getattr()), 0);
    assert.throws(() => it_.errorOf(it_.lookup('file')), ProtocolViolation);
  });

  it("length: the header's len is wrong", async () => {
    it_ = await Debugged.withFaults('length=+8 GETATTR', 'length=-8 LOOKUP');
    assert.throws(() => it_.errorOf(it_.getattr()), /used 120, header says 128/);
    assert.throws(() => it_.errorOf(it_.lookup('file')), /used 144, header says 136/);
  });

  it('drop: there is no reply, and others have theirs', async () => {
    it_ = await Debugged.withFaults('drop,times=1 GETATTR');
    const lost = it_.getattr();
    assert.equal(it_.errorOf(it_.getattr()), 0);
    assert.ok(!it_.done(lost));
    const base = it_.session.device.stopQueue(1);
    assert.ok(!it_.done(lost));
    it_.session.device.startQueue(1, base);
    assert.equal(it_.errorOf(it_.getattr()), 0);
  });

  it('an error reply that a fault makes is an exception like any other', async () => {
    it_ = await Debugged.withFaults('errno=EIO LOOKUP');
    await it_.client.ask('setExceptionFilters', { filters: [{ id: 1, kind: 'errno', errnos: [Errno.EIO] }] });
    const lookup = it_.lookup('file');
    assert.equal((await it_.next('held')).why.text, 'EIO');
    await it_.go();
    assert.equal(it_.errorOf(lookup), -Errno.EIO);
  });

  it('a request that is delayed when its queue stops is answered at once', async () => {
    it_ = await Debugged.withFaults('delay=3600s LOOKUP');
    const slow = it_.lookup('file');
    assert.equal(it_.errorOf(it_.getattr()), 0);
    const base = it_.session.device.stopQueue(1);
    assert.equal(it_.errorOf(slow), 0);
    it_.session.device.startQueue(1, base);
  });
});
