/** QMP against a scripted QEMU, and what is made of a guest's last words. */
import * as assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { likelyReason } from '../../src/vm/diagnosis';
import { QmpClient } from '../../src/vm/qmp';
import { TextTail } from '../../src/vm/textTail';

/** A stream whose other end answers each command line by `answer`. */
function fakeQemu(answer: (command: { execute: string; id: number }) => string): Duplex {
  return new Duplex({
    read: () => {},
    write(chunk, _encoding, done) {
      this.push(answer(JSON.parse(String(chunk)) as { execute: string; id: number }));
      done();
    },
  });
}

describe('QMP', () => {
  it('waits for the greeting, negotiates, and matches answers by id', async () => {
    const asked: string[] = [];
    const stream = fakeQemu(({ execute, id }) => {
      asked.push(execute);
      return `${JSON.stringify({ return: { name: execute }, id })}\r\n`;
    });
    const client = new QmpClient(stream);
    const connecting = client.connect();
    await new Promise(setImmediate);
    assert.deepEqual(asked, []);
    stream.push('{"QMP": {"version": {}, "capabilities": []}}\r\n');
    await connecting;
    assert.deepEqual(await client.execute('query-status'), { name: 'query-status' });
    assert.deepEqual(asked, ['qmp_capabilities', 'query-status']);
  });

  it('rejects with the words of QEMU', async () => {
    const stream = fakeQemu(({ id }) => `${JSON.stringify({ error: { class: 'X', desc: 'no such device' }, id })}\n`);
    await assert.rejects(new QmpClient(stream).execute('device_del'), /QEMU refused: no such device/);
  });

  it('tells events, also when a line comes in pieces', async () => {
    const stream = fakeQemu(() => '');
    const events: string[] = [];
    new QmpClient(stream, (name, data) => events.push(`${name} ${JSON.stringify(data)}`));
    for (const piece of ['{"event": "SHUT', 'DOWN", "data": {"guest": true}}\n{"event"', ': "STOP"}\n']) {
      stream.push(piece);
      await new Promise(setImmediate);
    }
    assert.deepEqual(events, ['SHUTDOWN {"guest":true}', 'STOP {}']);
  });

  it('rejects everything when QEMU goes', async () => {
    const stream = fakeQemu(() => '');
    const client = new QmpClient(stream);
    const waiting = client.execute('query-status');
    stream.destroy();
    const why = { code: 'qmpOver', exitCode: 4, message: /\(QMP\) is over: QEMU closed it$/ };
    await assert.rejects(waiting, why);
    await assert.rejects(client.execute('query-status'), why);
    assert.equal((await client.over).code, 'qmpOver');
  });

  const odd = {
    'no JSON': ['{"event": "ST\u001b\n', /makes no sense: no JSON object: "\{\\"event\\": \\"ST\\u001b"$/],
    'a list': ['[1]\n', /no JSON object: "\[1\]"$/],
    nothing: ['null\n', /no JSON object: "null"$/],
    'an event without a name': ['{"event": 7}\n', /an odd event/],
    'an event with a list for data': ['{"event": "STOP", "data": []}\n', /an odd event/],
    'an answer without a result': ['{"id": 1}\n', /an answer without a result: "\{\\"id\\": 1\}"$/],
    'an error that is none': ['{"id": 1, "error": "no"}\n', /an answer without a result/],
    'an error and a result': ['{"id": 1, "error": {}, "return": {}}\n', /an answer without a result/],
    'an answer to nothing': ['{"id": 2, "return": {}}\n', /an answer to nothing that was asked/],
    'an answer without an id': ['{"return": {}}\n', /an answer to nothing that was asked/],
    'an id of another type': ['{"id": "1", "return": {}}\n', /an answer to nothing that was asked/],
    'half a message, and then its end': ['{"return"', /QEMU closed it within a message$/],
    'a long line of nonsense': [`${'x'.repeat(5000)}\n`, /no JSON object: "x{60}…"$/],
  } satisfies Record<string, [string, RegExp]>;
  for (const [what, [said, message]] of Object.entries(odd)) {
    it(`ends with the reason when QEMU says ${what}`, async () => {
      const events: string[] = [];
      const stream = fakeQemu(() => said);
      const client = new QmpClient(stream, (name) => events.push(name));
      const asked = client.execute('query-status');
      // What comes behind it is not taken, whatever it is.
      if (said.endsWith('\n')) stream.push('{"event": "STOP"}\n{"id": 1, "return": {}}\n');
      else setImmediate(() => stream.destroy());
      const why = { code: said.endsWith('\n') ? 'qmpOdd' : 'qmpOver', exitCode: 4, message };
      await assert.rejects(asked, why);
      await assert.rejects(client.execute('query-status'), why);
      await assert.rejects(client.connect(), why);
      assert.match((await client.over).message, message);
      assert.equal(stream.destroyed, true);
      assert.deepEqual(events, []);
    });
  }

  it('keeps no message that does not end', async () => {
    const stream = fakeQemu(() => '');
    const client = new QmpClient(stream);
    const piece = 'x'.repeat(1 << 16);
    let pieces = 0;
    for (; !stream.destroyed && pieces < 1000; pieces++) {
      stream.push(piece);
      await new Promise(setImmediate);
    }
    assert.ok(pieces >= 16 && pieces < 20, `${pieces} of 64 KiB`);
    assert.match((await client.over).message, /a message without an end$/);
  });
});

describe('last words', () => {
  const log = (text: string): TextTail => {
    const tail = new TextTail();
    tail.add(Buffer.from(text));
    return tail;
  };

  it('are whole lines without control sequences', () => {
    assert.deepEqual(log('\x1b[2J\x1b[1mone\x1b[0m\r\n\r\n  \r\ntwo\n').lines(5), ['one', 'two']);
    assert.deepEqual(log('1\n2\n3\n4').lines(2), ['3', '4']);
    assert.deepEqual(log('1\n2\n3\n4\nsign\n6\n7').lines(4, 'sign'), ['2', '3', '4', 'sign']);
  });

  const ADVICE = "qemu-system-x86_64: -mon chardev=qmp: warning: '-mon' is deprecated, use '-object' instead\n";

  it('are without QEMU’s advice about its command line', () => {
    assert.deepEqual(log(`one\n${ADVICE}two\n`).lines(5), ['one', 'two']);
    assert.deepEqual(log('kernel: warning: this is deprecated\n').lines(5), ['kernel: warning: this is deprecated']);
  });

  it('are bounded', () => {
    const tail = new TextTail();
    for (let i = 0; i < 100; i++) {
      tail.add(Buffer.alloc(10_000, 0x61));
    }
    assert.equal(tail.lines(1)[0].length, 64 * 1024);
  });

  const symptoms = { kind: 'qemu', kvm: false, end: 'ended', reached: 'nothing', failed: [], log: log('') } as const;

  it('give the likely reason and what to do', () => {
    const panic = likelyReason({ ...symptoms, log: log('Kernel panic - not syncing: out of memory') });
    assert.match(panic.why, /panic/);
    assert.match(panic.remedy, /--memory/);
    const kvm = likelyReason({ ...symptoms, log: log('1\n2\n3\n4\nKVM internal error. Suberror: 1\nRAX=0000') });
    assert.match(kvm.remedy, /^Leave out --accel kvm/);
    assert.match(likelyReason({ ...symptoms, kvm: true, end: 'late' }).remedy, /^Leave out --accel kvm/);
    assert.match(likelyReason({ ...symptoms, end: 'late' }).remedy, /^A busy machine/);
    assert.match(kvm.why, /cannot run it \(KVM internal error\. Suberror: 1\)$/);
    const shown = log('1\n2\n3\n4\nKVM internal error. Suberror: 1\nRAX=0000').lines(kvm.lines ?? 15, kvm.sign);
    assert.deepEqual(shown, ['2', '3', '4', 'KVM internal error. Suberror: 1'], 'no registers');
    assert.match(likelyReason({ ...symptoms, end: 'failed', failed: ['mount work'] }).why, /could not mount work/);
    const hostfs = likelyReason({
      ...symptoms,
      kind: 'uml',
      end: 'failed',
      failed: ['module:/a mount:records', 'mount work'],
      log: log('mount: mounting records on /run/records failed: No such device'),
    });
    assert.match(hostfs.why, /has no hostfs/);
    assert.match(hostfs.remedy, /--guest qemu/);
    assert.match(likelyReason({ ...symptoms, end: 'late' }).why, /did not come up in time: its kernel said nothing/);
    const own = log('SeaBIOS\nqemu-system-x86_64: kvm run failed\nBooting from ROM');
    assert.match(
      likelyReason({ ...symptoms, end: 'late', log: own }).why,
      /in time: qemu-system-x86_64: kvm run failed$/,
    );
    assert.match(likelyReason({ ...symptoms, end: 'late', log: log(ADVICE) }).why, /in time: its kernel said nothing/);
    assert.match(likelyReason({ ...symptoms, end: 'late', reached: 'init' }).why, /waiting for a mount/);
    assert.match(likelyReason(symptoms).why, /ended before it was ready/);
  });
});
