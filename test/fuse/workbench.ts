/** A server over the scripted file system, and requests as bytes: what every test of this folder starts from. */
import assert from 'node:assert/strict';
import { Arena } from '../../src/base/arena';
import { DEFERRED } from '../../src/fs/fileSystem';
import { FUSE_AREA_BYTES, layOutFuse } from '../../src/fuse/areas';
import type { FuseOptions } from '../../src/fuse/options';
import { FuseServer } from '../../src/fuse/server';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { InHeader, InitIn } from '../../src/protocol/fuse/structs';
import { defaultFuseOptions } from './defaultOptions';
import { pack } from '../driver/pack';
import { MemoryExchange, type ExchangeOptions } from '../support/memoryExchange';
import { GENERATION, HANDLE_GENERATION, ScriptedFs } from './scriptedFs';

/** All bits of one word: what a test's guest offers when it does not matter. */
const EVERYTHING = 0xffff_ffff;

/** Wire nodeid and fh of the scripted file system's. */
export const nodeid = (node: number): bigint => (node === 1 ? 1n : (BigInt(GENERATION) << 32n) | BigInt(node));
export const fh = (handle: number): bigint => (BigInt(HANDLE_GENERATION) << 32n) | BigInt(handle);

export interface Header {
  readonly opcode: number;
  readonly nodeid?: bigint;
  readonly unique?: bigint;
  readonly len?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly pid?: number;
  readonly total_extlen?: number;
}

/** A whole request: the header and what follows it. */
export function request(header: Header, ...parts: Uint8Array[]): Uint8Array {
  const rest = Buffer.concat(parts);
  const fields = { len: InHeader.size + rest.length, unique: 0x1234n, nodeid: 1n, uid: 1000, gid: 1001, pid: 42 };
  return Buffer.concat([pack(InHeader, { ...fields, ...header }), rest]);
}

/** "01 02ff" as bytes; comments after # are for the reader. */
export function hex(text: string): Uint8Array {
  return Buffer.from(text.replace(/#.*/g, '').replace(/\s+/g, ''), 'hex');
}

export interface Reply {
  readonly used: number;
  readonly error: number;
  readonly unique: bigint;
  readonly body: Uint8Array;
  readonly exchange: MemoryExchange;
}

/** Takes a reply apart, and checks what a Linux guest checks: the length, and that there is a header at all. */
export function parse(exchange: MemoryExchange, used: number): Reply {
  const view = new DataView(exchange.reply.buffer);
  if (used === 0) return { used, error: 0, unique: 0n, body: new Uint8Array(0), exchange };
  assert.ok(used >= 16 && used <= exchange.reply.length, `used ${used} of ${exchange.reply.length}`);
  assert.equal(view.getUint32(0, true), used, 'len of the reply is what is used');
  const error = view.getInt32(4, true);
  assert.ok(error <= 0 && error > -512, `error ${error}`);
  if (error !== 0) assert.equal(used, 16, 'an error has no body');
  return { used, error, unique: view.getBigUint64(8, true), body: exchange.reply.slice(16, used), exchange };
}

export class Workbench {
  readonly arena: Arena;
  readonly fs: ScriptedFs;
  readonly server: FuseServer;

  constructor(options: Partial<FuseOptions> = {}) {
    const start = 1024;
    this.arena = new Arena(new ArrayBuffer(start + FUSE_AREA_BYTES), 0);
    this.fs = new ScriptedFs(this.arena, 0);
    this.server = new FuseServer(this.arena, layOutFuse(start), this.fs, { ...defaultFuseOptions, ...options });
  }

  /** A session with a guest that offers all there is. */
  static started(options: Partial<FuseOptions> = {}): Workbench {
    const bench = new Workbench(options);
    assert.equal(bench.init({}).error, 0);
    bench.fs.log.length = 0;
    return bench;
  }

  init(offer: { major?: number; minor?: number; flags?: number; flags2?: number; length?: number }): Reply {
    const { major = 7, minor = 46, flags = EVERYTHING, flags2 = EVERYTHING, length = InitIn.size } = offer;
    const args = pack(InitIn, { major, minor, max_readahead: 131072, flags, flags2 });
    return this.send(request({ opcode: Opcode.INIT, nodeid: 0n }, args.subarray(0, length)), 80);
  }

  send(bytes: Uint8Array, room = 4096, options: ExchangeOptions = {}): Reply {
    const exchange = new MemoryExchange(this.arena, bytes, room, options);
    const used = this.server.handle(exchange);
    assert.notEqual(used, DEFERRED, 'deferred');
    return parse(exchange, used);
  }

  /** Sends what the file system defers; the exchange, to look at when it has been finished. */
  park(bytes: Uint8Array, room = 4096): MemoryExchange {
    const exchange = new MemoryExchange(this.arena, bytes, room);
    assert.equal(this.server.handle(exchange), DEFERRED);
    assert.equal(exchange.parks, 1);
    return exchange;
  }
}
