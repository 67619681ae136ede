import assert from 'node:assert/strict';
import { checkColorRules, colorsOf } from '../../../src/ui/requests/colorRules';
import { type Detail, requestDetails } from '../../../src/ui/requests/details';
import { rowText } from '../../../src/ui/requests/rowText';
import { describeLine } from '../../../src/ui/timeline/describe';
import { CaptureBuilder } from '../../trace/captureBuilder';

const capture = new CaptureBuilder()
  .init()
  .exchange('LOOKUP', { names: ['a.c'], error: 'ENOENT' })
  .exchange('OPEN', { nodeid: 2, in: { flags: 0o101 }, error: 'EACCES' })
  .exchange('READ', {
    nodeid: 2,
    in: { fh: 5, size: 4096 },
    outPayload: 100,
    latency: 100_000,
    host: 40_000,
    writing: 10_000,
    calls: 2,
  })
  .hostCall('preadv2', { arguments: [5, 1, 1, 0, 8], result: -11, duration: 900 })
  .exchange('FORGET', { nodeid: 2, in: { nlookup: 1 } })
  .capture();
const waiting = new CaptureBuilder().init();
waiting.request('SETLKW', { nodeid: 2, in: { fh: 1 } });

const part = (details: readonly Detail[], label: string): Detail => {
  const found = details.find((each) => each.label === label);
  assert.ok(found, `${label} is not in ${details.map((each) => each.label).join(', ')}`);
  return found;
};

describe('what a request is called', () => {
  it('says what it is about, how much it moved, how it ended and how long that took', () => {
    assert.deepEqual(rowText(capture, 3, 'time'), {
      label: 'READ nodeid 2',
      description: '100 µs · 100 bytes',
      icon: 'arrow-down',
      mood: 'fine',
    });
    assert.match(rowText(capture, 3, 'file').description, /^100 µs · fh=5 offset=0 size=4K/);
    assert.equal(rowText(capture, 1, 'opcode').label, 'a.c');
  });

  it('has its name in the order in which it is written, on one line', () => {
    const names = ['\u202egnp.exe', 'a\nb\tc', '\u2066x'].map((name) => {
      const made = new CaptureBuilder()
        .init()
        .exchange('LOOKUP', { names: [name], error: 'ENOENT' })
        .capture();
      return [rowText(made, 1, 'time').label, describeLine(made, 1).path];
    });
    assert.deepEqual(names, [
      ['LOOKUP \\u202egnp.exe', '/\\u202egnp.exe'],
      ['LOOKUP a\\nb\\tc', '/a\\nb\\tc'],
      ['LOOKUP \\u2066x', '/\\u2066x'],
    ]);
  });

  it('tells errors that programs provoke all the time from others', () => {
    assert.equal(rowText(capture, 1, 'time').mood, 'expected');
    assert.equal(rowText(capture, 2, 'time').mood, 'failed');
    assert.equal(rowText(waiting.capture(), 1, 'time').mood, 'waiting');
  });
});

describe('what a request opens into', () => {
  it('every field with its value and sentences', () => {
    const request = part(requestDetails(capture, 2), 'Request');
    const flags = part(part(request.children ?? [], 'fuse_open_in').children ?? [], 'flags');
    assert.equal(flags.text, 'O_WRONLY|O_CREAT');
    assert.ok(flags.doc?.some((line) => line.startsWith('O_CREAT: ')));
  });

  it('payloads, and how much of them the capture has', () => {
    const long = new CaptureBuilder({ snaplen: 256 })
      .init()
      .exchange('READ', { nodeid: 2, in: { fh: 5, size: 4096 }, outPayload: 4096 })
      .capture();
    const data = part(part(requestDetails(long, 1), 'Reply').children ?? [], 'data');
    assert.equal(data.text, '4096 bytes, 256 captured');
    const whole = part(part(requestDetails(capture, 3), 'Reply').children ?? [], 'data');
    assert.equal(whole.text, '100 bytes');
  });

  it('phases that add up, and the calls of the host with their errors', () => {
    const details = requestDetails(capture, 3);
    const phases = part(details, 'Phases').children ?? [];
    assert.deepEqual(
      phases.map(({ label, text }) => `${label} ${text.split(' ').slice(0, 2).join(' ')}`),
      ['queued 0 ns', 'daemon 50.0 µs', 'host 40.0 µs', 'writing 10.0 µs'],
    );
    const calls = part(details, 'Host system calls').children ?? [];
    assert.match(calls[0].label, /^preadv2\(5, …, 1, 0, RWF_NOWAIT\) = -1 EAGAIN$/);
    assert.ok(calls[0].bad);
    assert.equal(calls[1].label, '1 more');
  });

  it('what comes of it: an error, nothing wanted, nothing yet', () => {
    assert.match(part(requestDetails(capture, 1), 'Reply').text, /^ENOENT · /);
    assert.match(part(requestDetails(capture, 4), 'Reply').text, /wants no reply/);
    assert.match(part(requestDetails(waiting.capture(), 1), 'Reply').text, /in flight/);
  });

  it('the chain it came by', () => {
    const chain = part(requestDetails(capture, 3), 'Descriptor chain');
    assert.equal(chain.text, `queue 1, head ${capture.head(3)}`);
  });
});

describe('colour rules', () => {
  it('the first one that a request passes counts', () => {
    const { rules, problems } = checkColorRules([
      { filter: 'opcode == READ && latency > 50us', color: 'orange' },
      { filter: 'read', color: 'charts.lines' },
      { filter: 'error != 0', color: 'red' },
    ]);
    assert.deepEqual(problems, []);
    const color = colorsOf(capture, rules);
    assert.deepEqual(
      [0, 1, 2, 3].map((row) => color(row)),
      [undefined, 'charts.red', 'charts.red', 'charts.orange'],
    );
  });

  it('that are wrong are told and left out, whatever they are', () => {
    const { rules, problems } = checkColorRules([
      null,
      7,
      { filter: 'paht == 1', color: 'red' },
      { filter: 'read', color: 'url(x)' },
      { filter: 'read', color: '__proto__' },
      { filter: 'read' },
    ]);
    assert.equal(rules.length, 0);
    assert.deepEqual(problems, [
      'rule 1 needs a filter and a color',
      'rule 2 needs a filter and a color',
      'rule 3: its filter is not understood from character 1 on',
      'rule 4: its color is none that there is',
      'rule 5: its color is none that there is',
      'rule 6 needs a filter and a color',
    ]);
    assert.deepEqual(checkColorRules('red').problems, ['it is no list']);
    assert.deepEqual(checkColorRules(undefined), { rules: [], problems: [] });
    assert.equal(
      checkColorRules(Array.from({ length: 100 }, () => ({ filter: 'read', color: 'red' }))).rules.length,
      64,
    );
  });
});

describe('a request about a node whose number is no exact double', () => {
  it('is shown with all its digits', () => {
    const nodeid = 2n ** 60n + 3n;
    const one = new CaptureBuilder()
      .init()
      .exchange('OPEN', { nodeid, out: { fh: 1 } })
      .capture();
    assert.equal(rowText(one, 1, 'time').label, 'OPEN nodeid 0x1000000000000003');
    const caller = part(requestDetails(one, 1), 'Caller and inode');
    assert.equal(part(caller.children ?? [], 'nodeid').text, '0x1000000000000003');
  });
});
