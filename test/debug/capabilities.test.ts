/**
 * Each capability that the adapter announces has a test that shows it, and none is announced that has not: held against
 * what it really announces, and against the tests as they are written.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import ts from 'typescript';
import { recordedCapabilities } from '../../src/debug/capabilities';
import { exceptionFilters } from '../../src/debug/breakpoints';
import { DapLog } from './dapLog';

interface Proof {
  /** The title of the test. */
  readonly test: string;
  /** What stands in it: the request that is asked, the member that is given. */
  readonly shows: readonly string[];
}

const changing = 'changes the request before, the reply after, and its bytes';
const lines = 'sets line breakpoints in the opcodes document, with conditions, hit conditions and log messages';
const exceptions = 'sets exception filters with conditions, and explains an exception';
const goTo = 'answers a chosen errno without running the handler, and runs a handler again';
const completes = 'completes commands, fields, values and errnos';

const proofs: Readonly<Record<string, Proof>> = {
  supportsConfigurationDoneRequest: {
    test: 'shares the folder, runs the command when breakpoints are set and the guest is up, and ends with its status',
    shows: ["'configurationDone'"],
  },
  supportsFunctionBreakpoints: {
    test: 'sets function breakpoints by opcode, glob and path, and says what is wrong with others',
    shows: ["'setFunctionBreakpoints'"],
  },
  supportsConditionalBreakpoints: { test: lines, shows: ['condition: '] },
  supportsHitConditionalBreakpoints: { test: lines, shows: ['hitCondition: '] },
  supportsLogPoints: { test: lines, shows: ['logMessage: '] },
  supportsEvaluateForHovers: {
    test: 'evaluates fields, facts, filters and what is under the pointer',
    shows: ["context: 'hover'"],
  },
  supportsSetVariable: { test: changing, shows: ["'setVariable'"] },
  supportsSetExpression: { test: changing, shows: ["'setExpression'"] },
  supportsRestartFrame: { test: goTo, shows: ["'restartFrame'"] },
  supportsGotoTargetsRequest: { test: goTo, shows: ["'gotoTargets'", "'goto'"] },
  supportsCompletionsRequest: { test: completes, shows: ["'completions'"] },
  completionTriggerCharacters: { test: completes, shows: ["'set read.s'", "'answer EAC'"] },
  supportsExceptionFilterOptions: { test: exceptions, shows: ['filterOptions: '] },
  supportsExceptionInfoRequest: { test: exceptions, shows: ["'exceptionInfo'"] },
  exceptionBreakpointFilters: { test: exceptions, shows: exceptionFilters.map(({ filter }) => `'${filter}'`) },
  supportTerminateDebuggee: {
    test: 'stops the guest on disconnect, unless it is to go on',
    shows: ['terminateDebuggee: false'],
  },
  supportsTerminateRequest: { test: 'releases what is held and stops the guest on ${command}', shows: ['command'] },
  supportsReadMemoryRequest: {
    test: 'reads guest memory for the hex editor, up to where it ends, and does not write it',
    shows: ["'readMemory'"],
  },
  supportsWriteMemoryRequest: { test: changing, shows: ["'writeMemory'"] },
  supportsLoadedSourcesRequest: {
    test: 'shows a held request: threads, stack, scopes, variables, its text',
    shows: ["'loadedSources'"],
  },
  supportsCancelRequest: {
    test: 'stops reading a capture when that is cancelled',
    shows: ["'cancel'"],
  },
  supportsStepBack: {
    test: 'steps forward and back over requests, their host calls and replies',
    shows: ["'stepBack'", "'reverseContinue'"],
  },
};

/** What a capture takes back; the test shows that each is refused. */
const refusals: Readonly<Record<string, string>> = {
  supportsSetVariable: "'setVariable'",
  supportsSetExpression: "'setExpression'",
  supportsRestartFrame: "'restartFrame'",
  supportsGotoTargetsRequest: "'goto'",
  supportsWriteMemoryRequest: "'writeMemory'",
};

const folder = resolve(__dirname, '../../../test/debug');

/** Titles of the tests of a file that are run, as they are written, and what is in each. */
function testsOf(file: string): [title: string, body: string][] {
  const found: [string, string][] = [];
  const source = ts.createSourceFile(file, readFileSync(resolve(folder, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const walk = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'it') {
      const [title, body] = node.arguments;
      if (ts.isStringLiteralLike(title)) found.push([title.text, body.getText()]);
      else if (ts.isTemplateExpression(title)) found.push([title.getText().slice(1, -1), body.getText()]);
    }
    node.forEachChild(walk);
  };
  walk(source);
  return found;
}

describe('what the adapter announces', () => {
  const tests = new Map(readdirSync(folder).flatMap((file) => (file.endsWith('.test.ts') ? testsOf(file) : [])));
  let announced: Dap.Capabilities;

  before(async () => {
    const dap = new DapLog();
    announced = await dap.good<Dap.Capabilities>('initialize', { adapterID: 'virtiofs' });
    dap.adapter.dispose();
  });

  const isAnnounced = ([, value]: [string, unknown]): boolean => value !== false;

  it('is proved one by one: no capability without a test, no test of none', () => {
    const all = Object.entries({ ...recordedCapabilities, ...announced }).filter(isAnnounced);
    assert.deepEqual(all.map(([name]) => name).sort(), Object.keys(proofs).sort());
  });

  for (const [capability, { test, shows }] of Object.entries(proofs)) {
    it(`${capability}: "${test}"`, () => {
      const body = tests.get(test) ?? assert.fail('there is no such test');
      for (const text of shows) assert.ok(body.includes(text), `the test does not have ${text}`);
    });
  }

  it('is less for a capture, and what is taken back is refused', () => {
    const taken = Object.entries(recordedCapabilities).filter(([, value]) => value === false);
    assert.deepEqual(taken.map(([name]) => name).sort(), Object.keys(refusals).sort());
    const body = tests.get('announces that it goes back, and changes nothing') ?? assert.fail('there is no such test');
    for (const text of Object.values(refusals)) assert.ok(body.includes(text), `the test does not have ${text}`);
  });
});
