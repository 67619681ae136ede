/** What clients give to requests: it may be anything, and what is wrong with it is said in the catalogue's words. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { requests } from '../../src/debug/requests';
import { DapLog } from './dapLog';

const NAMES = Object.keys(requests);
/** What is launched is not the matter here; the others end the session. */
const TAKEN = NAMES.filter((name) => !['launch', 'attach', 'disconnect', 'terminate'].includes(name));

describe('arguments of requests', () => {
  let dap: DapLog;

  beforeEach(() => {
    dap = new DapLog();
  });
  afterEach(() => dap.adapter.dispose());

  const wrong: readonly (readonly [command: string, args: unknown, what: RegExp])[] = [
    ['stackTrace', undefined, /threadId is not an integer/],
    ['stackTrace', { threadId: '1' }, /threadId is not an integer/],
    ['initialize', 'all', /it is not an object/],
    ['launch', ['capture'], /it is not an object/],
    ['setBreakpoints', { source: null }, /source is not an object/],
    ['setBreakpoints', { source: {}, breakpoints: [{ line: 1 }, null] }, /breakpoints\[1\] is not an object/],
    ['setFunctionBreakpoints', {}, /breakpoints is not a list/],
    ['setFunctionBreakpoints', { breakpoints: [{ name: 7 }] }, /breakpoints\[0\]\.name is not a text/],
    ['setExceptionBreakpoints', { filters: 'slow' }, /filters is not a list/],
    ['evaluate', { expression: 7 }, /expression is not a text/],
    ['completions', { text: 'set', column: 1.5 }, /column is not an integer/],
    ['readMemory', { memoryReference: '0x0', count: 'all' }, /count is not an integer/],
    ['readMemory', { memoryReference: '0x0', offset: 0.5, count: 8 }, /offset is not an integer/],
  ];
  for (const [command, args, what] of wrong) {
    it(`${command} ${JSON.stringify(args) ?? 'without any'}: ${what.source.replaceAll('\\', '')}`, async () => {
      const { success, message, body } = await dap.ask(command, args as object);
      assert.deepEqual([success, message], [false, 'debugArgumentBad']);
      const { text } = (body as { error: { variables: { text: string } } }).error.variables;
      assert.match(text, what);
      assert.match(text, /The Debug Adapter Protocol says what it takes\.$/);
    });
  }

  it('that may be left out may be null', async () => {
    await dap.good('initialize', { adapterID: 'virtiofs', clientID: null, linesStartAt1: null });
  });

  it('never are an error without a code, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...TAKEN),
        fc.oneof(
          fc.jsonValue(),
          fc.dictionary(
            fc.constantFrom('threadId', 'frameId', 'source', 'breakpoints', 'filters', 'expression', 'line', 'count'),
            fc.jsonValue(),
          ),
        ),
        async (command, args) => {
          const { success, message } = await dap.ask(command, args as object);
          assert.ok(success || /^debug[A-Z]/.test(message ?? ''), `${command}: ${message}`);
        },
      ),
      { numRuns: 400 },
    );
  });
});
