/** The cell itself: what runs in it writes there and nowhere else, and what is done to the canaries is seen. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Cell, needCell } from './cell';

describe('a cell', () => {
  let cell: Cell;

  before(function () {
    needCell(this);
  });
  beforeEach(() => {
    cell = new Cell();
  });
  afterEach(() => cell.close());

  it('keeps what runs in it from writing elsewhere', () => {
    const elsewhere = fs.mkdtempSync(path.join(os.tmpdir(), 'elsewhere-'));
    try {
      assert.notEqual(cell.run('touch', path.join(elsewhere, 'file')), 0);
      assert.deepEqual(fs.readdirSync(elsewhere), []);
      assert.equal(cell.run('touch', path.join(cell.share, 'file')), 0);
      cell.checkOutside();
    } finally {
      fs.rmSync(elsewhere, { recursive: true });
    }
  });

  for (const [what, command] of [
    ['writing', ['sh', '-c', 'printf x >>"$1/canary"', 'sh']],
    [
      'writing the same again',
      ['sh', '-c', 'cat "$1/canary" >"$1/../share/copy"; cp "$1/../share/copy" "$1/canary"', 'sh'],
    ],
    ['reading', ['sh', '-c', 'cat "$1/canary"', 'sh']],
    ['listing', ['ls']],
    ['another mode', ['sh', '-c', 'chmod 600 "$1/folder/leaf"', 'sh']],
    ['a new file', ['sh', '-c', 'touch "$1/folder/new"', 'sh']],
    ['a link', ['sh', '-c', 'ln "$1/canary" "$1/../share/link"', 'sh']],
    ['a file beside the share', ['sh', '-c', 'touch "$1/../new"', 'sh']],
  ] as const) {
    it(`notices ${what}`, () => {
      cell.checkOutside();
      assert.equal(cell.run(...command, cell.outside), 0);
      assert.throws(() => cell.checkOutside(), assert.AssertionError);
    });
  }
});
