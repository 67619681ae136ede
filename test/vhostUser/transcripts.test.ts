/** What real front-ends say, byte by byte, and what the back-end answers and does. Recorded; see transcripts/. */
import assert from 'node:assert/strict';
import { BackEnd } from '../../src/vhostUser/backEnd';
import { MessageReader, frameReply } from '../../src/vhostUser/framing';
import { RecordingDevice, join } from './recordingDevice';
import { qemu11 } from './transcripts/qemu11';
import { qemu72 } from './transcripts/qemu72';
import { uml } from './transcripts/uml';

type Event =
  | { readonly kind: 'say'; readonly descriptors: number; bytes: string; readonly what: string }
  | { readonly kind: 'reply'; bytes: string; readonly what: string }
  | { readonly kind: 'served'; readonly ring: number; readonly next: number };

/**
 *   `>+1 0c000000 … ; SET_VRING_KICK`  the front-end says this, with one descriptor; further bytes on the next lines
 *   `< …`                              the back-end's reply
 *   `= start 0 size 1024`              what it has asked of its device since the last `=`
 *   `! 1 6`                            meanwhile ring 1 has taken requests up to index 6
 */
function parse(text: string): { events: (Event | { readonly kind: 'done'; readonly what: string })[] } {
  const events: (Event | { readonly kind: 'done'; readonly what: string })[] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    const [code, comment = ''] = line.split(';').map((part) => part.trim());
    const said = /^(>|<)(?:\+(\d+))? (.*)$/.exec(code);
    const bytes = (said?.[3] ?? code).replaceAll(' ', '');
    const last = events.at(-1);
    if (said?.[1] === '>') events.push({ kind: 'say', descriptors: Number(said[2] ?? 0), bytes, what: comment });
    else if (said) events.push({ kind: 'reply', bytes, what: comment });
    else if (code.startsWith('=')) events.push({ kind: 'done', what: code.slice(2) });
    else if (code.startsWith('!')) {
      const [ring, next] = code.slice(2).split(' ').map(Number);
      events.push({ kind: 'served', ring, next });
    } else if (code !== '') {
      assert.ok(last && 'bytes' in last, `bytes that belong to no message: ${line}`);
      last.bytes += bytes;
    }
  }
  return { events };
}

function play(text: string, tag: string): void {
  const device = new RecordingDevice();
  const backEnd = new BackEnd(device, { tag, requestQueues: 1 });
  const reader = new MessageReader();
  let replies: string[] = [];
  let context = 'the start';
  for (const event of parse(text).events) {
    if (event.kind === 'served') device.running.set(event.ring, event.next);
    else if (event.kind === 'done') assert.equal(device.log.shift(), event.what, `after ${context}`);
    else if (event.kind === 'reply') assert.equal(replies.shift(), event.bytes, event.what);
    else {
      assert.deepEqual([replies, device.log], [[], []], `after ${context}`);
      context = event.what;
      const bytes = Buffer.from(event.bytes, 'hex');
      // As the socket is read: the header with its descriptors, then the rest.
      const head = reader.push(bytes.subarray(0, 12), device.descriptors(event.descriptors));
      const rest = reader.push(bytes.subarray(12), []);
      assert.ok(Array.isArray(head) && Array.isArray(rest));
      const messages = [...head, ...rest];
      assert.equal(messages.length, 1, event.what);
      const reply = backEnd.handle(messages[0]);
      replies = reply ? [Buffer.from(join(frameReply(messages[0].request, reply))).toString('hex')] : [];
    }
  }
  assert.deepEqual([replies, device.log, device.warnings], [[], [], []]);
  backEnd.close();
  assert.deepEqual([device.open.size, device.regions.size, device.running.size], [0, 0, 0], 'nothing is left');
}

describe('vhost-user with real front-ends', () => {
  it('QEMU 7.2: negotiation, rings, a guest’s driver, the end', () => play(qemu72, 'work'));
  it('QEMU 11.1: the same with acknowledgements and RESET_DEVICE', () => play(qemu11, 'work'));
  it('User Mode Linux 6.12: configuration read piece by piece, a memory table, the end', () => play(uml, 'share'));
});
