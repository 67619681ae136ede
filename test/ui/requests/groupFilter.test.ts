import assert from 'node:assert/strict';
import { compileFilter, select } from '../../../src/trace/filter/filter';
import { ALL, type Grouping, MANY_PATHS, NO_PATH, RequestGroups } from '../../../src/trace/requestGroups';
import { groupFilter } from '../../../src/ui/requests/groupFilter';
import { CaptureBuilder } from '../../trace/captureBuilder';

/** Names that mean something to quotes, patterns or both. */
const ODD = [
  'plain',
  'a[1]',
  'back\\slash',
  'quote"',
  '*',
  'what?',
  '{x,y}',
  '\\xe9',
  '\u0007bell',
  'é',
  '!(',
  '?99999',
  NO_PATH,
  MANY_PATHS,
];

/** A folder of each name with a file of each name in it, files that look like them, and a nodeid that nothing names. */
function oddTree() {
  const built = new CaptureBuilder().init();
  let nodeid = 1;
  for (const folder of ODD) {
    const parent = ++nodeid;
    built.exchange('LOOKUP', {
      names: [folder],
      pid: ODD.indexOf(folder) % 3,
      out: { nodeid, attr: { mode: 0o040755 } },
    });
    for (const name of ODD) {
      nodeid++;
      built.exchange('LOOKUP', { nodeid: parent, names: [name], out: { nodeid, attr: { mode: 0o100644 } } });
      built.exchange('GETATTR', { nodeid });
    }
  }
  for (const like of ['a1', 'xx', 'whatx', 'x']) built.exchange('LOOKUP', { names: [like], error: 'ENOENT' });
  for (const name of ODD) built.exchange('LOOKUP', { nodeid: 99_999, names: [name], error: 'ENOENT' });
  return built.exchange('GETATTR', { nodeid: 99_999 }).exchange('DESTROY').capture();
}

describe('the filter of a group', () => {
  const capture = oddTree();

  for (const grouping of ['file', 'process', 'opcode', 'time'] as Grouping[]) {
    it(`lets through what is in it, and nothing else: by ${grouping}`, () => {
      const groups = new RequestGroups(capture, grouping);
      for (let row = 0; row < capture.count; row++) groups.add(row);
      let seen = 0;
      const visit = (of: number): void => {
        for (const group of groups.groups(of, 1000)) {
          const text = groupFilter(grouping, group, groups.path(group.id));
          assert.ok(text !== undefined);
          const filter = compileFilter(text);
          assert.ok(filter.ok, text);
          assert.equal(select(capture, filter.value).length, group.count, text);
          seen++;
          visit(group.id);
        }
      };
      visit(ALL);
      assert.ok(grouping === 'time' || seen >= 3);
      if (grouping === 'file') assert.ok(seen > ODD.length * ODD.length, `${seen} groups`);
    });
  }

  it('is none of the files that are counted together', () => {
    assert.equal(groupFilter('file', { name: MANY_PATHS, groups: 0 }, MANY_PATHS), undefined);
  });
});
