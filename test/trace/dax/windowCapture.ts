/** Captures about a DAX window, by the millisecond: what a guest asks and what the front-end is asked. */
import { encodeRequest } from '../../../src/protocol/encode';
import { BackendRequest, Request } from '../../../src/protocol/vhostUser/requests';
import { ShmemConfig } from '../../../src/protocol/vhostUser/structs';
import { CaptureBuilder } from '../captureBuilder';

const MS = 1e6;
const NO_HANDLE = 0xffff_ffff_ffff_ffffn;
const REPLY = 5;
const NEED_REPLY = 9;

export class WindowScript {
  readonly builder = new CaptureBuilder();

  shmem(size: number): void {
    const payload = new Uint8Array(ShmemConfig.size);
    new DataView(payload.buffer).setBigUint64(ShmemConfig.offset.memory_sizes, BigInt(size), true);
    this.builder.vhostUser(Request.GET_SHMEM_CONFIG, { flags: REPLY, payload, toFrontEnd: true, at: 0 });
  }

  init(ms: number): void {
    this.builder.init({ at: ms * MS });
  }

  destroy(ms: number): void {
    this.builder.exchange('DESTROY', { at: ms * MS });
  }

  lookup(ms: number, name: string, nodeid: number | bigint): void {
    this.builder.exchange('LOOKUP', { at: ms * MS, names: [name], out: { nodeid, attr: { mode: 0o100644 } } });
  }

  setup(
    ms: number,
    nodeid: number | bigint,
    foffset: number,
    len: number,
    moffset: number,
    flags: number,
    error: number = 0,
  ): void {
    const values = { fh: NO_HANDLE, foffset, len, moffset, flags };
    this.builder.exchange('SETUPMAPPING', { at: ms * MS, nodeid, in: values, error });
  }

  remove(ms: number, nodeid: number | bigint, slices: readonly (readonly [moffset: number, len: number])[]): void {
    const payload = new Uint8Array(BigUint64Array.from(slices.flat(), BigInt).buffer);
    this.builder.exchange('REMOVEMAPPING', { at: ms * MS, nodeid, in: { count: slices.length }, payload });
  }

  read(ms: number, nodeid: number | bigint, size: number): void {
    this.builder.exchange('READ', { at: ms * MS, nodeid, in: { size }, outPayload: size });
  }

  mapped(
    ms: number,
    nodeid: number | bigint,
    path: string,
    fileOffset: number,
    length: number,
    windowOffset: number,
  ): void {
    this.builder.window(0, { at: ms * MS, nodeid, path, fileOffset, length, windowOffset });
  }

  note(ms: number, what: number, nodeid: number | bigint, path: string, text: string): void {
    this.builder.window(what, { at: ms * MS, nodeid, path, text });
  }

  /** SHMEM_MAP, and its answer `taking` milliseconds later. */
  mapAnswered(ms: number, taking: number): void {
    const [map, own] = [BackendRequest.SHMEM_MAP, true];
    const payload = new Uint8Array(40);
    this.builder.vhostUser(map, { flags: NEED_REPLY, payload, toFrontEnd: true, own, descriptors: 1, at: ms * MS });
    this.builder.vhostUser(map, { flags: REPLY, payload: new Uint8Array(8), own, at: (ms + taking) * MS });
  }

  raw(ms: number, opcode: number, nodeid: number | bigint, body: Uint8Array, error: number): void {
    const unique = 1000 + 2 * ms;
    const raw = encodeRequest({ opcode, unique, nodeid, uid: 0, gid: 0, pid: 1 }, body);
    this.builder.exchange(opcode, { at: ms * MS, unique, raw, error });
  }

  /** The capture goes on until then. */
  end(ms: number): void {
    this.builder.exchange('STATFS', { at: ms * MS });
  }
}

export function windowCapture(script: (c: WindowScript) => void): Uint8Array {
  const c = new WindowScript();
  script(c);
  return c.builder.bytes();
}
