/** Whatever comes through the debug socket: the daemon answers or ends the connection, and serves the guest. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { connect, type Socket } from 'node:net';
import {
  ErrorCodes,
  createMessageConnection,
  type MessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
} from 'vscode-jsonrpc/node';
import { debugRequests, MOST_HELD } from '../../../src/control/debug';
import { Opcode } from '../../../src/protocol/fuse/opcodes';
import * as wire from '../../../src/protocol/fuse/structs';
import { FuseClient } from '../../driver/fuseClient';
import { pack } from '../../driver/pack';
import { Debugged } from './debugged';

const names = Object.keys(debugRequests);

/** Half a message at the end must not leave a timer. */
function readerOf(socket: Socket): SocketMessageReader {
  const reader = new SocketMessageReader(socket);
  reader.partialMessageTimeout = 0;
  return reader;
}

describe('hostile debuggers', () => {
  let it_: Debugged;

  before(async () => {
    it_ = await Debugged.begin();
    it_.client.close();
  });
  after(() => it_.end());

  async function socket(): Promise<Socket> {
    const made = connect(it_.socket);
    made.on('error', () => undefined);
    await new Promise((resolve) => made.once('connect', resolve));
    return made;
  }

  async function raw(): Promise<{ rpc: MessageConnection; end: () => Promise<void> }> {
    for (;;) {
      const made = await socket();
      const rpc = createMessageConnection(readerOf(made), new SocketMessageWriter(made));
      rpc.onClose(() => undefined);
      rpc.onError(() => undefined);
      rpc.listen();
      const end = async (): Promise<void> => {
        const closed = new Promise((resolve) => made.once('close', resolve));
        made.end();
        await closed;
        rpc.dispose();
      };
      try {
        await rpc.sendRequest('hello', { protocol: 1, client: 'hostile' });
        return { rpc, end };
      } catch {
        // The one before is about to be noticed as gone.
        await end();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  const serves = (): void => assert.equal(it_.errorOf(it_.getattr()), 0);

  it('any parameters for any request', async () => {
    const { rpc, end } = await raw();
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.integer(),
        fc.double(),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom('request', 'offset', 'count', 'bytes', 'id', 'opcodes', 'breakpoints', '__proto__', 'rules'),
          tie('value'),
          { maxKeys: 4 },
        ),
      ),
    })).value;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), value, async (name, params) => {
        await rpc.sendRequest(name, params).catch((error: unknown) => assert.ok(error instanceof Error));
      }),
      { numRuns: 400 },
    );
    await end();
    serves();
  });

  it('parameters of the right shape and any values, with a request held', async () => {
    const { rpc, end } = await raw();
    await rpc.sendRequest('setBreakpoints', { breakpoints: [{ id: 1, opcodes: 'LOOKUP,READ', phase: 'entry' }] });
    const number = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0 }), fc.maxSafeNat());
    const bytes = fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data).toString('base64'));
    const params = fc.record({
      offset: number,
      count: fc.integer({ min: 0, max: 1 << 20 }),
      bytes,
      replace: number,
      length: number,
      errno: fc.integer({ min: 1, max: 511 }),
      address: fc.maxSafeNat().map(String),
      nodeid: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(String),
      fh: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(String),
      queue: fc.integer({ min: 0, max: 3 }),
      stopWorld: fc.constant(false),
    });
    const acts = names.filter(
      (name) => !['hello', 'setBreakpoints', 'setFaults', 'setExceptionFilters', 'pause'].includes(name),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom(...acts), params), { maxLength: 12 }), async (steps) => {
        const lookup = it_.lookup('file');
        const { held } = await heldOnes(rpc);
        for (const [name, one] of steps) {
          await rpc.sendRequest(name, { ...one, request: held[0].request }).catch(() => undefined);
        }
        await rpc.sendRequest('continue', {});
        it_.session.client.wait(lookup);
      }),
      { numRuns: 150 },
    );
    await end();
    serves();
  });

  /** Once the request that was just sent is held. */
  async function heldOnes(rpc: MessageConnection): Promise<{ held: { request: number }[] }> {
    for (;;) {
      const answer: { held: { request: number }[] } = await rpc.sendRequest('held', {});
      if (answer.held.length > 0) return answer;
    }
  }

  it('any bytes instead of messages', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.string().map((text) => Buffer.from(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)),
          fc.json().map((text) => Buffer.from(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)),
        ),
        async (bytes) => {
          const made = await socket();
          made.write(bytes);
          await new Promise((resolve) => setTimeout(resolve, 2));
          made.destroy();
        },
      ),
      { numRuns: 100 },
    );
    serves();
  });

  it('a message without end', async () => {
    const made = await socket();
    made.write('Content-Length: 4000000000\r\n\r\n');
    const closed = new Promise<boolean>((resolve) => made.once('close', () => resolve(true)));
    const block = Buffer.alloc(1 << 20, 0x20);
    for (let sent = 0; sent < 64 && !made.destroyed; sent++) {
      await new Promise((resolve) => made.write(block, resolve));
    }
    assert.ok(await closed);
    serves();
  });

  it('requests before hello, and the wrong protocol', async () => {
    const made = await socket();
    const rpc = createMessageConnection(readerOf(made), new SocketMessageWriter(made));
    rpc.listen();
    await assert.rejects(rpc.sendRequest('held', {}), {
      code: ErrorCodes.InvalidRequest,
      message: /say hello first/,
    });
    await assert.rejects(rpc.sendRequest('hello', { protocol: 99, client: 'x' }), {
      code: ErrorCodes.InvalidParams,
      message: /version 1/,
    });
    await assert.rejects(rpc.sendRequest('nonsense', {}), /Unhandled method/);
    rpc.dispose();
    made.destroy();
    serves();
  });

  it('more requests than may be held: the rest goes on, and that is told', async () => {
    const many = await Debugged.begin();
    await many.breakOn({ opcodes: 'GETATTR' });
    const client = new FuseClient(many.session.device, 4096, 600);
    client.indirect = true;
    const calls = Array.from({ length: MOST_HELD + 20 }, () =>
      client.start(Opcode.GETATTR, 1n, [pack(wire.GetattrIn, {})], { room: wire.AttrOut.size }),
    );
    const { text } = await many.next('log', (log) => log.level === 'warn');
    assert.match(text, /512 requests are held already/);
    for (const one of calls.slice(MOST_HELD)) assert.equal(client.wait(one).error, 0);
    assert.equal((await many.client.ask('held', {})).held.length, MOST_HELD);
    await many.go();
    for (const one of calls) assert.equal(client.wait(one).error, 0);
    await many.end();
  });
});
