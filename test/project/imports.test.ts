/**
 * The rules of .dependency-cruiser.cjs, tried on files that break them; `npm test -- --only checks` has them look at
 * src/.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

interface Report {
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
  };
}

/** Which rules the files break, and where. */
function broken(files: Readonly<Record<string, string>>): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'virtiofs-imports-'));
  try {
    for (const [name, text] of Object.entries({ ...files, 'tsconfig.json': '{}' })) {
      mkdirSync(join(folder, dirname(name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const words = ['--config', resolve('.dependency-cruiser.cjs'), 'src', '--output-type=json'];
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), ...words],
      { cwd: folder, encoding: 'utf8', timeout: 20_000 },
    );
    assert.equal(stderr, '');
    const { violations } = (JSON.parse(stdout) as Report).summary;
    return violations.map(({ from, rule }) => `${rule.name} ${from}`).sort();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** By which a file imports another one. */
const links = {
  values: "import { one } from './one';\nexport const two: number = one;\n",
  type: "import type { One } from './one';\nexport type Two = One;\n",
  typeAmongValues: "import { type One } from './one';\nexport type Two = One;\n",
  typeInPassing: "export type Two = import('./one').One;\n",
  typeHandedOn: "export type { One as Two } from './one';\n",
};

/** Each link in a folder of its own, from two.ts to one.ts, which begins with `head`. */
const linked = (head: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(links).flatMap(([name, link]) => [
      [`src/base/${name}/one.ts`, `${head}export const one = 1;\nexport type One = typeof one;\n`],
      [`src/base/${name}/two.ts`, link],
    ]),
  );

describe('the check of imports', () => {
  it('lets files of a room import each other in one direction', () => assert.deepEqual(broken(linked('')), []));

  it('forbids every circle of files, also of their types alone', () => {
    const circles = Object.keys(links).map((name) => `no-cycle src/base/${name}/one.ts`);
    assert.deepEqual(broken(linked("import './two';\n")), circles.sort());
    assert.deepEqual(broken(linked("import type {} from './two';\n")), circles);
  });
});
