import assert from 'node:assert/strict';
import { ErrorCodes } from 'vscode-jsonrpc/node';
import { Trouble } from '../../src/base/catalogue';
import { DebugClient } from '../../src/control/debugClient';
import { ScriptedDaemon } from '../debug/scriptedDaemon';

describe("a debugger's question to a daemon that does not do what it was asked for", () => {
  let daemon: ScriptedDaemon;
  let client: DebugClient;

  beforeEach(async () => {
    daemon = await new ScriptedDaemon().listen();
    ({ client } = await DebugClient.connect(daemon.path, 'test'));
  });
  afterEach(() => {
    client.close();
    daemon.close();
  });

  const trouble = async (): Promise<Trouble> => {
    try {
      await client.ask('answer', { request: 1, errno: 5 });
    } catch (error) {
      return error instanceof Trouble ? error : assert.fail(String(error));
    }
    return assert.fail('it was answered');
  };

  for (const [what, code, expected, remedy] of [
    ['cannot do it now', ErrorCodes.InvalidRequest, 'debugRefused', /step on or continue/],
    ['cannot take the value', ErrorCodes.InvalidParams, 'debugValueRefused', /another value/],
    ['does not know the question', ErrorCodes.MethodNotFound, 'debugAnswerOdd', /another version/],
    ['fails at it', ErrorCodes.InternalError, 'debugAnswerOdd', /another version/],
  ] as const) {
    it(`as it ${what}: the remedy is one for that`, async () => {
      daemon.refuses('answer', code, 'the reason');
      const { code: got, message, remedy: said } = await trouble();
      assert.equal(got, expected);
      assert.match(message, /the reason/);
      assert.match(said, remedy);
    });
  }

  it('as the connection has gone: whether the share has is not claimed', async () => {
    daemon.hangUp();
    await client.over;
    assert.equal((await trouble()).code, 'debugConnectionOver');
  });

  it('as the connection goes while it is asked', async () => {
    const asked = trouble();
    daemon.hangUp();
    assert.equal((await asked).code, 'debugConnectionOver');
  });

  it('as this end has closed', async () => {
    client.close();
    assert.equal((await trouble()).code, 'debugConnectionOver');
  });

  it('as the share has ended, which the daemon has told', async () => {
    daemon.tell('ended', { text: 'The share is over.' });
    await new Promise<void>((resolve) => client.on('ended', () => resolve()));
    daemon.hangUp();
    await client.over;
    assert.equal((await trouble()).code, 'debugShareOver');
  });
});
