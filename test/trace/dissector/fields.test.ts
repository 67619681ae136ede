import assert from 'node:assert/strict';
import { notifyCodes } from '../../../src/protocol/fuse/flags';
import { notifications, opcodes } from '../../../src/protocol/fuse/opcodes';
import { hostCalls } from '../../../src/protocol/hostCalls';
import { backendRequests, requests } from '../../../src/protocol/vhostUser/requests';
import { qemu11 } from '../../vhostUser/transcripts/qemu11';
import { qemu72 } from '../../vhostUser/transcripts/qemu72';
import { uml } from '../../vhostUser/transcripts/uml';
import { checkDissection } from './checkDissection';
import { everyHostCall, everyNotification, everyOpcode, everyVhostUser, transcript } from './samples';
import { Bench, hasTshark } from './tshark';
import { need } from '../../support/need';

describe('what tshark shows is what the decoder says', function () {
  this.timeout(60_000);
  let bench: Bench;

  before(function () {
    need(this, 'tshark', hasTshark(), 'not on PATH');
    bench = new Bench();
  });
  after(() => bench?.remove());

  for (const filling of ['different', 'ones', 'zero'] as const) {
    it(`every field of every opcode, request and reply, values ${filling}`, async () => {
      const { kinds, fields } = await checkDissection(bench, everyOpcode(filling).bytes());
      for (const { name, reply } of opcodes) {
        assert.ok(kinds.has(name), name);
        if (reply) assert.ok(kinds.has(`${name} reply`), `${name} reply`);
      }
      assert.ok(fields > 1000);
    });

    it(`every notification, values ${filling}`, async () => {
      const { kinds } = await checkDissection(bench, everyNotification(filling).bytes());
      for (const { code } of notifications) assert.ok(kinds.has(`NOTIFY_${notifyCodes.byValue.get(code)?.name}`));
    });
  }

  it('and a dissector with one field at a wrong place is found out', async () => {
    const right = '{ name = "read_flags", at = 20,';
    const wrong = new Bench((lua) => {
      assert.ok(lua.includes(right));
      return lua.replace(right, '{ name = "read_flags", at = 16,');
    });
    await assert.rejects(checkDissection(wrong, everyOpcode('different').bytes()), /fuse\.read\.read_flags/);
    wrong.remove();
  });

  it('every host system call', async () => {
    const { kinds } = await checkDissection(bench, everyHostCall().bytes());
    for (const { name } of hostCalls) assert.ok(kinds.has(name), name);
  });

  it('every flag of arm64, of requests and host system calls', async () => {
    for (const filling of ['different', 'ones'] as const) {
      assert.ok((await checkDissection(bench, everyOpcode(filling, 'arm64').bytes())).fields > 1000);
    }
    assert.ok((await checkDissection(bench, everyHostCall('arm64').bytes())).kinds.has('openat'));
  });

  it('every vhost-user request and reply', async () => {
    const { kinds } = await checkDissection(bench, everyVhostUser().bytes());
    for (const { name } of [...requests, ...backendRequests]) assert.ok(kinds.has(`${name} reply`), name);
  });

  // Any capture, one of the demo for example: DISSECT_CAPTURE=FILE.
  const given = process.env.DISSECT_CAPTURE;
  if (given !== undefined) {
    it(`every message of ${given}`, async function () {
      this.timeout(600_000);
      const { packets, fields, kinds } = await checkDissection(bench, given);
      console.log(`      ${packets} packets, ${fields} fields: ${[...kinds].sort().join(', ')}`);
    });
  }

  for (const [name, text] of Object.entries({ qemu11, qemu72, uml })) {
    it(`what ${name} says to a back-end`, async () => {
      const { packets, fields } = await checkDissection(bench, transcript(text).bytes());
      assert.ok(packets > 20 && fields > 80);
    });
  }
});
