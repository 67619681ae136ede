import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { bindLogMessage, isProblem, parseLogMessage } from '../../../src/control/rules/logMessage';
import { fields } from '../../../src/trace/filter/fields';
import { OneRow } from '../../../src/trace/filter/rows';
import { CaptureBuilder } from '../../trace/captureBuilder';

const capture = new CaptureBuilder()
  .init()
  .exchange('LOOKUP', { names: ['a\n.db'], out: { nodeid: 2, generation: 1, attr: { mode: 0o100644, nlink: 1 } } })
  .exchange('OPEN', { nodeid: 2, in: { flags: 0x8002 }, out: { fh: 3 } })
  .exchange('READ', { nodeid: 2, in: { fh: 3, size: 4096 }, outPayload: 'SQLite format 3', latency: 1_500_000 })
  .exchange('GETATTR', { nodeid: 2, error: 'EACCES' })
  .exchange('READLINK', { nodeid: 2, outPayload: 'to "it"' })
  .capture();
const rowOf = (name: string): number => {
  for (let row = 0; row < capture.count; row++) if (capture.request(row)?.opcode?.name === name) return row;
  return assert.fail(`no ${name}`);
};
const said = (text: string, opcode: string): string => {
  const message = parseLogMessage(text);
  if (isProblem(message)) return assert.fail(message.problem);
  return bindLogMessage(message, capture)(rowOf(opcode));
};

describe('log messages', () => {
  it('have fields in braces, printed as the trace prints them', () => {
    assert.equal(said('{opcode} of {path}: {read.size} at {read.offset}', 'READ'), 'READ of "/a\\n.db": 4K at 0');
    assert.equal(said('{open.flags} {fh}', 'OPEN'), 'O_RDWR|O_LARGEFILE -');
    assert.equal(said('{open.reply.fh}', 'OPEN'), '3');
    assert.equal(said('{ latency } {replied} {changed}', 'READ'), '1.50 ms true false');
    assert.equal(said('{lookup.name} {lookup.reply.attr.mode}', 'LOOKUP'), '"a\\n.db" 0100644');
    assert.equal(said('{readlink.reply.target}', 'READLINK'), '"to \\"it\\""');
    assert.equal(said('{error}', 'GETATTR'), 'EACCES');
    assert.equal(said('{error} {reply.error}', 'READ'), 'OK OK');
  });

  it('take a name without its opcode for whichever opcode the request has', () => {
    assert.equal(said('{size}', 'READ'), '4K');
    assert.equal(said('{size}', 'OPEN'), '-');
  });

  it('show what a request does not have as -', () => {
    assert.equal(said('{write.size}, {getattr.reply.attr.size}', 'GETATTR'), '-, -');
  });

  it('have braces, written twice', () => assert.equal(said('{{{pid}}} }}{{', 'READ').replace(/\d+/, 'N'), '{N} }{'));

  for (const [text, problem, place] of [
    ['size {read.sise}', 'no field "read.sise"; did you mean "read.size"?', '{read.sise}'],
    ['so {', '"{" alone; write {{', '{'],
    ['so }', '"}" alone; write }}', '}'],
    ['{}', 'no field ""', '{}'],
  ]) {
    it(`not ${JSON.stringify(text)}`, () => {
      const parsed = parseLogMessage(text);
      assert.ok(isProblem(parsed));
      assert.deepEqual([parsed.problem, text.slice(parsed.from, parsed.to)], [problem, place]);
    });
  }

  it('say something of every field there is, in every request', () => {
    for (const { name } of fields) {
      const message = parseLogMessage(`{${name}}`);
      if (isProblem(message)) return assert.fail(`${name}: ${message.problem}`);
      const text = bindLogMessage(message, capture);
      for (let row = 0; row < capture.count; row++) assert.notEqual(text(row), '', name);
    }
    return undefined;
  });

  it('are the same of a request that is being served', () => {
    const row = rowOf('READ');
    const live = new OneRow('x86-64');
    live.take(capture.requestBytes(row).slice(), { start: 0, queue: 1, path: '/a.db', session: capture.session(row) });
    const message = parseLogMessage('{opcode} {path} {read.size} {error}');
    if (isProblem(message)) return assert.fail(message.problem);
    const text = bindLogMessage(message, live);
    assert.equal(text(0), 'READ "/a.db" 4K -');
    return undefined;
  });

  it('never throw, whatever is written', () => {
    const words = fc.constantFrom('{', '}', 'read.size', 'path', ' ', '{{', 'x', '{pid}');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words).map((all) => all.join('')),
        ),
        (text) => {
          const parsed = parseLogMessage(text);
          if (isProblem(parsed)) assert.ok(parsed.from >= 0 && parsed.from < parsed.to && parsed.to <= text.length);
          else bindLogMessage(parsed, capture)(0);
        },
      ),
    );
  });
});
