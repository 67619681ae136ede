/**
 * Compares what tshark shows of a capture with what the product's decoder says: every field of every message, the
 * problems, the matching of requests and replies, the times, the line in the Info column.
 *
 * For any capture, small ones of tests or a real one. Throws at the first difference, with the packet's number.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { numberAt } from '../../../src/protocol/decode';
import { initFlags } from '../../../src/protocol/fuse/flags';
import { decodeReply, decodeRequest, type Request, type SessionShape } from '../../../src/protocol/message';
import { replyLine, requestLine } from '../../../src/protocol/summary';
import { FuseAt, isPacket, MessageFlag, PacketKind } from '../../../src/trace/packet';
import { readStrictly } from '../strictPcapng';
import { expectedReply, expectedRequest, type Expected } from './expected';
import { expectedHostCall, expectedVhostUser } from './expectedOthers';
import type { Bench, PdmlField } from './tshark';

export interface Checked {
  readonly packets: number;
  readonly fields: number;
  /** Kinds of messages met: `LOOKUP`, `LOOKUP reply`, `NOTIFY_…`, names of host calls and vhost-user requests. */
  readonly kinds: ReadonlySet<string>;
}

interface Known {
  readonly number: number;
  readonly request: Request;
  readonly session: SessionShape | undefined;
}

/** Names of fields that are the dissector's own: matched, computed, or of the pseudo-header. */
const OWN =
  /^fuse\.(kind|queue|head|taken|length|cut|later|changed|held|calls|queued|daemon|host|writing|time|response_in|request_in|host_call|path|errno|notify|reply_to|fh|malformed|truncated|failed|no_request|known\..*|window\..*)$/;

export class Walk {
  readonly kinds = new Set<string>();
  fields = 0;
  private session: SessionShape | undefined;
  private readonly pending = new Map<string, Known>();
  private readonly replies = new Map<number, number>();

  constructor(private readonly packets: readonly { readonly bytes: Uint8Array; readonly time: bigint }[]) {
    // A first pass, since a request shows where its reply is.
    this.packets.forEach((packet, i) => this.expect(packet, i + 1));
  }

  private readonly expected: (((shown: readonly PdmlField[]) => void) | undefined)[] = [];

  private expect({ bytes, time }: { readonly bytes: Uint8Array; readonly time: bigint }, number: number): void {
    if (isPacket(bytes, PacketKind.Request)) this.request(bytes, number);
    else if (isPacket(bytes, PacketKind.Reply)) this.reply(bytes, time, number);
    else if (isPacket(bytes, PacketKind.HostCall)) this.other(expectedHostCall(bytes), 'hostcall.', number);
    else if (isPacket(bytes, PacketKind.VhostUser)) this.other(expectedVhostUser(bytes), 'vhost_user.', number);
  }

  private other(of: { kind: string; fields: Expected[] }, prefix: string, number: number): void {
    this.kinds.add(of.kind);
    this.expected[number] = (shown) => {
      this.compare(of.fields, shown);
      if (prefix !== 'hostcall.') return;
      const extra = shown.filter((each) => each.name.startsWith('hostcall.') && !each.hidden).length;
      assert.ok(extra >= of.fields.length, 'all fields of a host call');
    };
  }

  private request(bytes: Uint8Array, number: number): void {
    const message = bytes.slice(FuseAt.message);
    const opcode = message.length < 8 ? 0 : new DataView(message.buffer).getUint32(4, true);
    const session = opcode === 26 ? undefined : this.session;
    const flags = new DataView(bytes.buffer, bytes.byteOffset).getUint16(FuseAt.flags, true);
    const machine = (flags & MessageFlag.ARM64) === 0 ? 'x86-64' : 'arm64';
    const request = decodeRequest(message, session, machine);
    if (opcode === 26) this.session = undefined;
    this.kinds.add(request.opcode?.name ?? 'unknown opcode');
    if (request.opcode?.reply !== false) this.pending.set(key(bytes), { number, request, session });
    this.expected[number] = (shown) => {
      this.compare(expectedRequest(request), shown);
      this.noOthers(expectedRequest(request), shown);
      problems(request.problems, shown);
      line(requestLine(request), shown);
      assert.equal(one(shown, 'fuse.response_in'), this.replies.get(number)?.toString(), 'fuse.response_in');
    };
  }

  private reply(bytes: Uint8Array, time: bigint, number: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const known = this.pending.get(key(bytes));
    this.pending.delete(key(bytes));
    const reply = decodeReply(bytes.slice(FuseAt.message), known?.request, known?.session);
    if (known) this.replies.set(known.number, number);
    if (known?.request.number === 26 && reply.error === 0) this.session = sessionOf(known.request, reply.structs[0]);
    const isOrphan = !known && reply.kind === 'reply' && reply.error === 0;
    this.kinds.add(
      reply.kind === 'notification' ? replyLine(reply).split(' ')[0] : `${known?.request.opcode?.name ?? 'no'} reply`,
    );
    const spans = {
      queued: BigInt(view.getUint32(FuseAt.queued, true)),
      host: BigInt(view.getUint32(FuseAt.host, true)),
      writing: BigInt(view.getUint32(FuseAt.writing, true)),
    };
    const flags = view.getUint16(FuseAt.flags, true);
    const held = (flags & MessageFlag.HELD) === 0 ? undefined : BigInt(view.getUint32(FuseAt.held, true)) * 1000n;
    const latency = time - view.getBigUint64(FuseAt.taken, true);
    this.expected[number] = (shown) => {
      this.compare(expectedReply(reply), shown);
      this.noOthers(expectedReply(reply), shown);
      if (!isOrphan) problems(reply.problems, shown);
      if (!isOrphan)
        line(
          `${known ? `${known.request.opcode?.name ?? `opcode ${known.request.number}`} ` : ''}${replyLine(reply)}`,
          shown,
        );
      assert.equal(one(shown, 'fuse.request_in'), known?.number.toString(), 'fuse.request_in');
      for (const [name, span] of Object.entries(spans)) assert.equal(one(shown, `fuse.${name}`), seconds(span), name);
      assert.equal(one(shown, 'fuse.held'), held === undefined ? undefined : seconds(held), 'fuse.held');
      assert.equal(one(shown, 'fuse.changed') !== undefined, (flags & MessageFlag.CHANGED) !== 0, 'fuse.changed');
      if (reply.kind === 'notification') return;
      assert.equal(one(shown, 'fuse.time'), seconds(latency), 'fuse.time');
      const daemon = latency - spans.host - spans.writing - (held ?? 0n);
      assert.equal(one(shown, 'fuse.daemon'), seconds(daemon < 0n ? 0n : daemon), 'fuse.daemon');
      if (reply.error < 0) assert.equal(one(shown, 'fuse.errno'), String(-reply.error));
    };
  }

  /** Compares a packet that tshark shows. */
  check(shown: readonly PdmlField[], number: number): void {
    try {
      assert.ok(!shown.some((field) => /lua error/i.test(field.showname + field.show)), 'no Lua error');
      this.expected[number]?.(shown);
    } catch (error) {
      if (error instanceof Error) error.message = `packet ${number}: ${error.message}`;
      throw error;
    }
  }

  private compare(expected: readonly Expected[], shown: readonly PdmlField[]): void {
    const byPlace = new Map<string, PdmlField[]>();
    for (const field of shown) {
      const place = `${field.name === '_ws.lua.text' ? '' : field.name}@${field.pos}`;
      byPlace.set(place, [...(byPlace.get(place) ?? []), field]);
    }
    for (const want of expected) {
      this.fields++;
      if (want.name === '' && want.pos < 0) {
        assert.ok(
          shown.some((field) => field.showname === want.words),
          want.words,
        );
        continue;
      }
      const found = byPlace.get(`${want.name}@${want.pos}`) ?? [];
      const good = found.find((field) => isAs(field, want));
      const what = `${want.name}@${want.pos}+${want.size} ${want.value ?? ''} ${want.words ?? ''}`;
      assert.ok(good, `wanted ${what}, there is ${JSON.stringify(found)}`);
    }
  }

  /** Nothing is shown that the decoder does not have. */
  private noOthers(expected: readonly Expected[], shown: readonly PdmlField[]): void {
    const wanted = new Set(expected.map((each) => `${each.name}@${each.pos}`));
    for (const { name, pos } of shown) {
      if (!name.startsWith('fuse.') || OWN.test(name)) continue;
      // The first bytes of data that was cut.
      if (/\.(data|rest|name|oldname|newname|target|context)$|^fuse\.rest$/.test(name)) continue;
      assert.ok(wanted.has(`${name}@${pos}`), `${name} at ${pos} is not in the decoder's tree`);
    }
  }
}

function isAs(field: PdmlField, want: Expected): boolean {
  if (want.words !== undefined && !field.showname.includes(want.words)) return false;
  if (want.value === undefined) return field.size <= want.size;
  if (typeof want.value === 'string') return shownText(field.show) === shownText(want.value.replaceAll('\0', '\\x00'));
  // A flag is "True" from Wireshark 4.4 on.
  if (field.show === 'True') return field.size === want.size && want.value === 1n;
  return field.size === want.size && /^-?(0x)?[0-9a-f]+$/.test(field.show) && BigInt(field.show) === want.value;
}

/** Control characters as PDML has them. */
const shownText = (text: string): string =>
  text.replace(/[\u0001-\u001f\u007f]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`);

function problems(expected: readonly string[], shown: readonly PdmlField[]): void {
  const found = shown.filter((field) => field.name === 'fuse.malformed').map((field) => field.showname);
  assert.deepEqual(found, [...expected], 'problems');
}

/** The line behind the protocol's name, as far as Wireshark shows it there. */
function line(expected: string, shown: readonly PdmlField[]): void {
  // NUL is another text here: Wireshark's strings end there.
  if (!/^[\x20-\x7e]*$/.test(expected) || expected.includes('\\u0000')) return;
  const start = 'Filesystem in Userspace (virtio-fs), ';
  const { showname } = shown.find((field) => field.name === 'fuse') ?? { showname: '' };
  const words = `${start}${expected}`.slice(0, 180);
  const said = showname.replace(/^ ?\[(?:…|truncated)\] ?/, '');
  assert.equal(said.slice(0, words.length), words);
}

const one = (shown: readonly PdmlField[], name: string): string | undefined =>
  shown.find((field) => field.name === name)?.show;

function seconds(nanoseconds: bigint): string {
  const positive = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const digits = positive.toString().padStart(10, '0');
  return `${nanoseconds < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

function key(packet: Uint8Array): string {
  const view = new DataView(packet.buffer, packet.byteOffset);
  const at = FuseAt.message + 8;
  const unique = packet.length >= at + 8 ? view.getBigUint64(at, true) : 0n;
  return `${view.getUint16(FuseAt.queue, true)}/${view.getUint32(FuseAt.head, true)}/${unique}`;
}

function sessionOf(request: Request, out: Parameters<typeof numberAt>[0]): SessionShape | undefined {
  const minor = numberAt(out, 'minor');
  if (minor === undefined) return undefined;
  const flags = numberAt(out, 'flags') ?? 0;
  const hasFlag = (name: string): boolean => {
    const bit = initFlags.bits.find((each) => each.name === name);
    return bit !== undefined && (flags & bit.value) !== 0;
  };
  return { minor: Math.min(minor, numberAt(request.structs[0], 'minor') ?? minor), hasFlag };
}

/** Checks a capture, given as bytes or as a file. */
export async function checkDissection(bench: Bench, capture: Uint8Array | string): Promise<Checked> {
  const bytes = typeof capture === 'string' ? new Uint8Array(readFileSync(capture)) : capture;
  const file = bench.file(bytes);
  const walk = new Walk(readStrictly(bytes).packets);
  let packets = 0;
  for await (const shown of bench.packets(file)) walk.check(shown, ++packets);
  return { packets, fields: walk.fields, kinds: walk.kinds };
}
