/**
 * What a front-end and a guest are offered of a DAX window, which files are in it, and what a capture tells of both.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { AttrFlag, FopenFlag, InitFlag, InitFlag2 } from '../../../src/protocol/fuse/flags';
import { Opcode } from '../../../src/protocol/fuse/opcodeNumbers';
import { ProtocolFeature, Request } from '../../../src/protocol/vhostUser/requests';
import { CaptureReader } from '../../../src/trace/captureReader';
import { controlLine } from '../../../src/trace/controlLine';
import { WindowHistory } from '../../../src/trace/dax/windowHistory';
import { AttachedDevice } from '../../driver/attachedDevice';
import { startDaemon } from '../../driver/daemons';
import { FuseCalls, LINUX_FLAGS, LINUX_FLAGS_2 } from '../../driver/fuseCalls';
import { FuseClient } from '../../driver/fuseClient';
import { need } from '../../support/need';
import { letters, O_RDWR, PAGE, RANGE, ROOT, windowCase } from './windowCase';

const ENOSYS = -38;

describe('the DAX window', function () {
  this.timeout(20_000);
  const share = windowCase();
  const { at, begin, dax, node, put, remove, seen, setup, until } = share;

  describe('is agreed on', () => {
    it('with its size and, in INIT, its alignment', async () => {
      const { window, calls } = await begin();
      assert.equal(window.size, 8 << 20);
      assert.equal(calls.mapAlignment, 12);
      assert.ok(calls.flags & InitFlag.MAP_ALIGNMENT && calls.flags2 & InitFlag2.HAS_INODE_DAX);
    });

    it('only when it was asked for: without, nothing of it is offered', async () => {
      const daemon = await startDaemon('ours', share.folder, { arguments: ['--tag', 'plain'] });
      const device = new AttachedDevice(daemon.frontEnd, { memory: 'slots', window: true, regions: [32 << 20] });
      const calls = new FuseCalls(new FuseClient(device, 1 << 16, 32));
      calls.init();
      for (const feature of [ProtocolFeature.SHMEM_MAP, ProtocolFeature.BACKEND_SEND_FD])
        assert.ok(!device.hasProtocol(feature));
      assert.notEqual(device.frontEnd.tell(Request.GET_SHMEM_CONFIG, new Uint8Array(0)), 0n);
      assert.equal(calls.mapAlignment, 0);
      put('a', Buffer.alloc(PAGE));
      assert.equal(calls.lookup(ROOT, 'a').attributes.flags, 0);
      assert.equal(calls.client.call(Opcode.SETUPMAPPING, ROOT, [new Uint8Array(40)], { room: 0 }).error, ENOSYS);
      device.close();
      await daemon.stop();
    });

    it('with a guest that decides by itself (dax=always): no file is told to be one', async () => {
      const { calls } = await begin();
      put('a', letters(PAGE));
      calls.init(45, LINUX_FLAGS, LINUX_FLAGS_2 & ~InitFlag2.HAS_INODE_DAX);
      assert.equal(dax('a'), false);
      assert.equal(setup(node('a')), 0);
      assert.equal(seen(0, 4), 'abcd');
    });
  });

  describe('is for the files that its policy names', () => {
    it('without one: those of whole pages that are not small', async () => {
      await begin('');
      put('small', letters(PAGE));
      put('odd', letters(64 * 1024 + 1));
      put('large', letters(64 * 1024));
      assert.deepEqual(['small', 'odd', 'large'].map(dax), [false, false, true]);
    });

    it('pages: those of whole pages, and what has been opened keeps its cache', async () => {
      const { calls } = await begin('pages');
      put('empty', '');
      put('odd', letters(PAGE + 1));
      put('whole', letters(2 * PAGE));
      assert.deepEqual(['empty', 'odd', 'whole'].map(dax), [false, false, true]);
      const flags = ['odd', 'whole'].map((name) => calls.open(node(name), O_RDWR).flags & FopenFlag.KEEP_CACHE);
      assert.deepEqual(flags, [0, FopenFlag.KEEP_CACHE]);
      fs.appendFileSync(at('whole'), 'x');
      assert.equal(dax('whole'), false, 'not any more');
    });

    it('a guest keeps to what it was told when it came to know a file, and so do the flags of opens', async () => {
      const { calls } = await begin('pages');
      put('whole', letters(PAGE));
      const whole = node('whole');
      const made = calls.create(ROOT, 'made', O_RDWR, 0o644);
      calls.write(made.nodeid, made.fh, 0, letters(PAGE));
      fs.appendFileSync(at('whole'), 'x');
      assert.deepEqual(['whole', 'made'].map(dax), [false, true], 'the next one that comes to know them is told this');
      const keeps = (nodeid: bigint): boolean => (calls.open(nodeid, O_RDWR).flags & FopenFlag.KEEP_CACHE) !== 0;
      assert.deepEqual([keeps(whole), keeps(made.nodeid)], [true, false]);
      calls.init();
      assert.deepEqual(['whole', 'made'].map(dax), [false, true]);
      assert.deepEqual([keeps(node('whole')), keeps(node('made'))], [false, true]);
    });

    it('a guest that has looked a file up anew before it forgets it keeps to what it was told then', async () => {
      const { calls } = await begin('pages,*.db');
      const keeps = (nodeid: bigint): boolean => (calls.open(nodeid, O_RDWR).flags & FopenFlag.KEEP_CACHE) !== 0;
      put('a.db', letters(PAGE));
      put('b.txt', letters(PAGE));
      const [a, b] = ['a.db', 'b.txt'].map(node);
      fs.appendFileSync(at('a.db'), 'x');
      fs.renameSync(at('b.txt'), at('b.db'));
      assert.deepEqual(['a.db', 'b.db'].map(dax), [false, false], 'the name of a known one is not looked at again');
      assert.deepEqual([a, b].map(keeps), [true, false], 'it may still have what it was told first');
      for (const nodeid of [a, b]) calls.forget(nodeid, 1);
      assert.deepEqual([a, b].map(keeps), [false, false]);
      assert.deepEqual(['a.db', 'b.db'].map(dax), [false, true]);
      calls.forget(b, 1);
      assert.deepEqual([a, b].map(keeps), [false, true]);
    });

    it('not one that the host lets only be appended to, as it cannot be mapped', async function () {
      const { daemon, calls } = await begin('pages');
      for (const name of ['log', 'other']) put(name, letters(PAGE));
      const chattr = (how: string): boolean => spawnSync('chattr', [how, at('log')], { stdio: 'ignore' }).status === 0;
      need(this, 'chattr', chattr('+a'), 'no file here can be made append-only');
      try {
        assert.deepEqual(['log', 'other'].map(dax), [false, true]);
        const { nodeid } = calls.lookup(ROOT, 'log');
        assert.equal(calls.read(nodeid, calls.open(nodeid, 0).fh, 0, 4).toString(), '97,98,99,100');
        assert.doesNotMatch(daemon.log(), /cannot be opened/);
      } finally {
        chattr('-a');
      }
    });

    it('sizes and globs', async () => {
      const { calls } = await begin('tails,>=1K,<=8K,*.db,data/**');
      fs.mkdirSync(at('data/deep'), { recursive: true });
      put('a.db', letters(2000));
      put('small.db', letters(1000));
      put('large.db', letters(9000));
      put('a.txt', letters(2000));
      put('data/deep/a.txt', letters(2000));
      assert.deepEqual(['a.db', 'small.db', 'large.db', 'a.txt'].map(dax), [true, false, false, false]);
      const deep = calls.lookup(calls.lookup(node('data'), 'deep').nodeid, 'a.txt');
      assert.ok(deep.attributes.flags & AttrFlag.DAX);
    });

    it('not one that the disk could not hold when its holes are filled', async () => {
      await begin();
      put('holes', '');
      fs.truncateSync(at('holes'), 2 ** 46);
      put('few', 'some');
      fs.truncateSync(at('few'), 3 * PAGE);
      assert.deepEqual(['holes', 'few'].map(dax), [false, true]);
    });
  });

  it('is in captures: what is asked on both sides, which files are not in it and why, what the host did', async () => {
    put('empty', '');
    put('odd', letters(PAGE + 1));
    put('large', letters(4 * PAGE));
    put('other', letters(PAGE));
    put('a.bin', letters(2 * PAGE));
    const file = `${share.folder}.fuse.pcapng`;
    const { device, window, daemon } = await begin('pages,<=8K,*.bin,odd,empty,large', {}, '--capture', file);
    for (const name of ['empty', 'odd', 'large', 'other', 'a.bin']) dax(name);
    dax('odd');
    assert.equal(setup(node('a.bin')), 0);
    fs.truncateSync(at('a.bin'), PAGE);
    await until('it is said', () => daemon.log().includes('shortened'));
    assert.equal(remove(node('a.bin')), 0);
    device.frontEnd.close();
    assert.equal(await daemon.exit(3000), 0);
    const capture = new CaptureReader();
    capture.push(fs.readFileSync(file));
    capture.end();
    fs.rmSync(file);
    assert.deepEqual(capture.notes, []);
    const said = capture.windowNotes.map(({ what, path, text }) => `${what} ${path}: ${text}`);
    assert.match(said[0], /^1 empty: it is empty$/);
    assert.match(said[1], /^1 odd: its size is not a multiple of 4096/);
    assert.match(said[2], /^1 large: it is larger than 8K \(--dax-policy\)$/);
    assert.match(said[3], /^1 other: no pattern of --dax-policy names it$/);
    assert.match(said[4], /^3 a.bin: the host has shortened it from 8192 to 4096 bytes/);
    assert.equal(said.length, 5, 'each once');
    const own = capture.control.filter((message) => message.backEndChannel === true).map(controlLine);
    assert.equal(own.length, 2 * window.orders.length);
    assert.match(own[0], /^<- BACKEND_SHMEM_MAP shmid=0 .*_NEED_REPLY fds=1$/);
    assert.match(own[1], /^-> BACKEND_SHMEM_MAP answer u64=/);
    const history = WindowHistory.of(capture);
    assert.deepEqual([history.size, history.after(2).mappedBytes, history.after(3).mappedBytes], [8 << 20, RANGE, 0]);
  });

  it('is in captures with the right times: what is asked after an answer that was given later begins later', async () => {
    put('a', letters(PAGE));
    const file = `${share.folder}.fuse.pcapng`;
    const { calls, device, daemon } = await begin('pages', {}, '--capture', file);
    const nodeid = node('a');
    assert.equal(setup(nodeid), 0);
    device.frontEnd.ask(Request.GET_SHMEM_CONFIG);
    calls.getattr(nodeid);
    device.frontEnd.close();
    assert.equal(await daemon.exit(3000), 0);
    const capture = new CaptureReader();
    capture.push(fs.readFileSync(file));
    capture.end();
    fs.rmSync(file);
    const between = capture.control.filter((message) => controlLine(message).includes('GET_SHMEM_CONFIG')).at(-1);
    const { opcode, start } = capture.columns;
    const last = (what: number): number => opcode.subarray(0, capture.count).lastIndexOf(what);
    const [mapped, asked] = [Opcode.SETUPMAPPING, Opcode.GETATTR].map((what) => start[last(what)]);
    assert.ok(between && mapped < between.start && between.start < asked, `${mapped} ${between?.start} ${asked}`);
  });
});
