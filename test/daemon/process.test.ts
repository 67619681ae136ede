/** How the daemon begins and ends: sockets, signals, exit codes, what it leaves, what it prints. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { MOST_WARNINGS } from '../../src/daemon/warnings';
import { accept, close, connectUnix, listenUnix, setNonBlocking } from '../../src/native/descriptors';
import { Errno } from '../../src/protocol/errno';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { AttrOut, GetattrIn } from '../../src/protocol/fuse/structs';
import { onPath } from '../../src/vm/onPath';
import { need } from '../support/need';
import { DaemonProcess, type DaemonOptions, ROOT, Session, connect } from './daemonProcess';

describe('daemon process', () => {
  let home: string;
  let share: string;
  let socket: string;
  let started: DaemonProcess[] = [];

  beforeEach(() => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'daemon-'));
    share = path.join(home, 'share');
    socket = path.join(home, 'socket');
    fs.mkdirSync(share);
    fs.writeFileSync(path.join(share, 'file'), 'hello');
  });

  afterEach(async () => {
    await Promise.all(started.map((one) => one.stop()));
    started = [];
    fs.rmSync(home, { recursive: true });
  });

  function start(argv: readonly string[], options?: DaemonOptions): DaemonProcess {
    const daemon = new DaemonProcess(argv, options);
    started.push(daemon);
    return daemon;
  }

  const serve = (...argv: string[]): DaemonProcess =>
    start([`--socket-path=${socket}`, `--shared-dir=${share}`, ...argv]);

  describe('a session', () => {
    it('has no more lines in the log than there is room for, however many messages are refused', async () => {
      const daemon = serve();
      const frontEnd = await connect(socket);
      for (let round = 0; round < 2 * MOST_WARNINGS; round++) frontEnd.send(9999, new Uint8Array());
      frontEnd.close();
      await daemon.exit();
      const lines = daemon.log.split('\n').filter((line) => line.startsWith('warn: '));
      assert.equal(lines.length, MOST_WARNINGS + 1);
      assert.equal(lines.at(-1), 'warn: no more warnings of this session are logged');
    });

    it('serves the folder and ends with 0 when the front-end goes; nothing is left', async () => {
      const daemon = serve();
      const session = await Session.begin(socket);
      assert.equal(session.calls.lookup(ROOT, 'file').attributes.size, 5);
      session.end();
      assert.equal(await daemon.exit(), 0);
      assert.deepEqual(fs.readdirSync(home), ['share'], 'no socket');
      assert.deepEqual(fs.readdirSync(share), ['file']);
    });

    it('takes --fd, a listening socket handed over, which is not its own to remove', async () => {
      const listening = listenUnix(socket);
      const daemon = start(['--fd=3', `--shared-dir=${share}`], { descriptors: [listening] });
      close(listening);
      const session = await Session.begin(socket);
      assert.equal(session.calls.lookup(ROOT, 'file').attributes.size, 5);
      session.end();
      assert.equal(await daemon.exit(), 0);
      assert.ok(fs.existsSync(socket));
    });

    it('takes the older spelling: -o source=, -f', async () => {
      const daemon = start([`--socket-path=${socket}`, '-o', `source=${share},cache=none`, '-f']);
      (await Session.begin(socket)).end();
      assert.equal(await daemon.exit(), 0);
    });

    it('several queues and memory in slots: all of them serve', async () => {
      const daemon = serve('--queues=3', '--tag=work');
      const session = await Session.begin(socket, { requestQueues: 3, memory: 'slots', regions: [32 << 20, 32 << 20] });
      for (const queue of [1, 2, 3]) {
        assert.equal(
          session.client.call(Opcode.GETATTR, ROOT, [new Uint8Array(GetattrIn.size)], { room: AttrOut.size, queue })
            .error,
          0,
        );
      }
      session.end();
      assert.equal(await daemon.exit(), 0);
    });

    it('a front-end that goes in the middle of a message, or talks nonsense, ends it as well', async () => {
      for (const bytes of [
        [5, 1, 40],
        [1, 2, 0],
      ] as const) {
        const daemon = serve();
        const frontEnd = await connect(socket);
        frontEnd.sendRaw(bytes, new Uint8Array(0));
        if (bytes[1] === 1) frontEnd.close();
        assert.equal(await daemon.exit(), 0, daemon.log);
        if (bytes[1] === 2) assert.match(daemon.log, /cut off: a vhost-user message of version 2/);
      }
    });

    it('one that connects and goes without a word is not the front-end', async () => {
      const daemon = serve();
      (await connect(socket)).close();
      const session = await Session.begin(socket);
      assert.equal(session.calls.lookup(ROOT, 'file').attributes.size, 5);
      session.end();
      assert.equal(await daemon.exit(), 0);
    });

    it('takes little memory', async () => {
      const daemon = serve();
      const session = await Session.begin(socket);
      session.calls.lookup(ROOT, 'file');
      const status = fs.readFileSync(`/proc/${daemon.pid}/status`, 'latin1');
      const resident =
        Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) + Number(/^RssFile:\s+(\d+)/m.exec(status)?.[1]);
      assert.ok(resident < 100 * 1024, `${resident} KiB`);
      session.end();
      await daemon.exit();
    });
  });

  describe('the socket', () => {
    it('that a dead daemon left is replaced', async () => {
      close(listenUnix(socket));
      const daemon = serve();
      (await Session.begin(socket)).end();
      assert.equal(await daemon.exit(), 0);
    });

    it('of a living daemon is left alone, and that one goes on', async () => {
      const first = serve();
      await first.says(/waiting for a front-end/);
      const second = serve();
      assert.equal(await second.exit(), 3);
      assert.match(second.log, /cannot listen on .*EADDRINUSE.*\[socketUnusable\]/);
      const session = await Session.begin(socket);
      assert.equal(session.calls.lookup(ROOT, 'file').attributes.size, 5);
      const third = serve();
      assert.equal(await third.exit(), 3, 'also while it serves');
      session.end();
      assert.equal(await first.exit(), 0);
    });

    it('of somebody who serves is asked for without a connection, however often', async () => {
      const listening = listenUnix(socket);
      try {
        for (let start = 0; start < 4; start++) {
          const daemon = serve();
          assert.equal(await daemon.exit(), 3);
          assert.match(daemon.log, /EADDRINUSE.*\[socketUnusable\]/);
        }
        assert.equal(setNonBlocking(listening), 0);
        assert.equal(accept(listening), -Errno.EAGAIN, 'nobody has connected');
      } finally {
        close(listening);
      }
    });

    it('cannot be where something else is', async () => {
      fs.writeFileSync(socket, 'precious');
      const daemon = serve();
      assert.equal(await daemon.exit(), 3);
      assert.equal(fs.readFileSync(socket, 'latin1'), 'precious');
    });

    it('of somebody who has taken the path meanwhile is not removed', async () => {
      const daemon = serve();
      const session = await Session.begin(socket);
      fs.unlinkSync(socket);
      const other = listenUnix(socket);
      session.end();
      assert.equal(await daemon.exit(), 0);
      close(connectUnix(socket));
      close(other);
    });

    it('cannot be in a folder that is not there, nor have a long path', async () => {
      for (const at of [path.join(home, 'none', 's'), path.join(home, 'x'.repeat(120))]) {
        const daemon = start([`--socket-path=${at}`, `--shared-dir=${share}`]);
        assert.equal(await daemon.exit(), 3);
        assert.match(daemon.log, /\[socketUnusable\]/);
      }
    });

    describe('with --socket-group', () => {
      const group = 'nogroup';
      const gid = (): number => Number(execFileSync('getent', ['group', group], { encoding: 'utf8' }).split(':')[2]);

      it('is for its owner and the members of the group, whatever the umask', async function () {
        need(this, 'root', process.geteuid?.() === 0, 'only root gives a socket to any group');
        for (const umask of ['000', '077']) {
          const daemon = start([`--socket-path=${socket}`, `--shared-dir=${share}`, `--socket-group=${group}`], {
            wrap: ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh'],
          });
          const session = await Session.begin(socket);
          const { mode, gid: has, uid } = fs.statSync(socket);
          assert.deepEqual([mode & 0o7777, has, uid], [0o660, gid(), process.geteuid?.()]);
          session.end();
          assert.equal(await daemon.exit(), 0);
        }
      });

      it('is open to nobody else at any moment', async function () {
        need(this, 'strace', onPath('strace') !== undefined, 'its system calls are looked at');
        const log = path.join(home, 'calls');
        const calls = 'umask,bind,listen,fchownat,chown,chmod,fchmodat,lchown';
        const wrap = ['sh', '-c', 'umask 0; exec strace -f -e "trace=$0" -o "$@"', calls, log];
        const argv = [`--socket-path=${socket}`, `--shared-dir=${share}`, `--socket-group=${group}`];
        const daemon = start(argv, { wrap });
        (await Session.begin(socket)).end();
        await daemon.exit();
        const lines = fs.readFileSync(log, 'utf8').split('\n');
        const at = (sign: RegExp): number => lines.findIndex((line) => sign.test(line));
        const order = [/umask\(0177\)/, /bind\(.*socket"/, /chown.*-1, \d+/, /chmod.*0660/, /listen\(/].map(at);
        assert.ok(order[0] >= 0, lines.join('\n'));
        assert.deepEqual(
          order,
          [...order].sort((one, other) => one - other),
        );
      });

      it('is not made for a group that this user is no member of', async function () {
        need(this, 'root', process.geteuid?.() === 0, 'it becomes another user');
        const nobody = 65534;
        for (const folder of [home, share]) fs.chownSync(folder, nobody, nobody);
        const wrap = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
        const argv = [`--socket-path=${socket}`, `--shared-dir=${share}`, '--socket-group=root'];
        const daemon = start(argv, { wrap });
        assert.equal(await daemon.exit(), 3);
        assert.match(daemon.log, /the group "root": operation not permitted \(EPERM\) \[socketGroupUnusable\]/);
        assert.deepEqual(fs.readdirSync(home), ['share']);
      });

      it('is not made for a group that is not there, nor for a socket that is handed over', async () => {
        const unknown = serve('--socket-group=no such group');
        assert.equal(await unknown.exit(), 3);
        assert.match(unknown.log, /the group "no such group": there is no such group \[socketGroupUnusable\]/);
        assert.deepEqual(fs.readdirSync(home), ['share']);
        const both = start(['--fd=3', '--socket-group=nogroup', `--shared-dir=${share}`]);
        assert.equal(await both.exit(), 2);
        assert.match(both.log, /\[socketGroupAlone\]/);
      });
    });

    it('handed over must be open, and a listening socket', async () => {
      const closed = start(['--fd=99', `--shared-dir=${share}`]);
      assert.equal(await closed.exit(), 2);
      assert.match(closed.log, /\[socketNotListening\]/);
      const file = fs.openSync(path.join(share, 'file'), 'r');
      const wrong = start(['--fd=3', `--shared-dir=${share}`], { descriptors: [file] });
      fs.closeSync(file);
      assert.equal(await wrong.exit(), 2);
      assert.match(wrong.log, /\[socketNotListening\]/);
    });
  });

  for (const option of ['--trace-fd', '--problems-fd']) {
    it(`${option} is a descriptor that is open for writing, or there is no daemon`, async () => {
      const closed = serve(`${option}=99`);
      assert.equal(await closed.exit(), 2);
      assert.match(closed.log, /-fd=99 cannot be written to: bad file descriptor \(EBADF\) \[descriptorUnusable\]/);
      const file = path.join(home, 'file');
      fs.writeFileSync(file, '');
      const reading = fs.openSync(file, 'r');
      const wrong = start([`${option}=3`, `--socket-path=${socket}`, `--shared-dir=${share}`], {
        descriptors: [reading],
      });
      fs.closeSync(reading);
      assert.equal(await wrong.exit(), 2);
      assert.match(wrong.log, /\[descriptorUnusable\]/);
      assert.equal(fs.existsSync(socket), false);
    });
  }

  describe('a signal', () => {
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      it(`${name} ends it while it waits for a front-end`, async () => {
        const daemon = serve();
        await daemon.says(/waiting/);
        daemon.signal(name);
        assert.equal(await daemon.exit(), 0);
        assert.deepEqual(fs.readdirSync(home), ['share']);
      });
    }

    it('ends it in a session, with requests that wait', async () => {
      const daemon = serve();
      const session = await Session.begin(socket);
      const { nodeid } = session.calls.lookup(ROOT, 'file');
      const { fh } = session.calls.open(nodeid, 2);
      const all = { type: 1, start: 0n, end: 0x7fff_ffff_ffff_ffffn, pid: 1 };
      session.calls.setlk(nodeid, fh, 1n, all);
      session.calls.startSetlkw(nodeid, fh, 2n, all);
      daemon.signal('SIGTERM');
      assert.equal(await daemon.exit(), 0);
      session.end();
    });
  });

  describe('options', () => {
    it('that are wrong end it with 2 and the remedy', async () => {
      const wrong: [string[], RegExp][] = [
        [['--nonsense'], /\[optionUnknown\]/],
        [['--shared-dir', '/'], /\[socketMissing\]/],
        [[`--socket-path=${socket}`], /\[sharedDirMissing\]/],
        [[`--socket-path=${socket}`, '--shared-dir=/', '--tag='.padEnd(60, 'x')], /\[tagBad\]/],
      ];
      for (const [argv, message] of wrong) {
        const daemon = start(argv);
        assert.equal(await daemon.exit(), 2);
        assert.match(daemon.log, message);
        assert.equal(daemon.output, '');
      }
    });

    it('a folder that cannot be shared ends it with 3', async () => {
      fs.mkdirSync(path.join(home, 'loop'));
      fs.symlinkSync('a', path.join(home, 'loop', 'a'));
      const bad = [path.join(home, 'none'), path.join(share, 'file'), path.join(share, 'file', 'x')];
      for (const folder of [...bad, path.join(home, 'loop', 'a'), `/${'x'.repeat(5000)}`]) {
        const daemon = start([`--socket-path=${socket}`, `--shared-dir=${folder}`]);
        assert.equal(await daemon.exit(), 3, `${folder}: ${daemon.log}`);
        assert.match(daemon.log, /cannot be shared: (not a folder|[a-z ]+ \(E[A-Z]+\)) \[sharedDirUnusable\]/);
        assert.ok(!fs.existsSync(socket));
      }
    });

    it('--help, --version and --print-capabilities print and end with 0', async () => {
      const asked: [string, RegExp][] = [
        ['--help', /--shared-dir=DIR/],
        ['--version', /^virtiofs-studio daemon \d/],
        ['--print-capabilities', /"type": "fs"/],
      ];
      for (const [option, wanted] of asked) {
        const daemon = start([option]);
        assert.equal(await daemon.exit(), 0);
        assert.match(daemon.output, wanted);
      }
    });

    it('--rlimit-nofile is set, and said when it cannot be', async () => {
      const daemon = serve('--rlimit-nofile=1234');
      await daemon.says(/waiting/);
      assert.match(fs.readFileSync(`/proc/${daemon.pid}/limits`, 'latin1'), /^Max open files\s+1234 /m);
      daemon.signal('SIGTERM');
      await daemon.exit();
    });
  });
});
