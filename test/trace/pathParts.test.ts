import assert from 'node:assert/strict';
import { pathParts } from '../../src/trace/pathParts';

describe('a path as people look for it', () => {
  for (const [path, folder, name] of [
    ['/a/b.c', '/a', 'b.c'],
    ['/b.c', '', 'b.c'],
    ['/', '', '/'],
    ['', '', ''],
    ['nodeid 5', '', 'nodeid 5'],
  ]) {
    it(`"${path}" is "${name}" in "${folder}"`, () => assert.deepEqual(pathParts(path), { folder, name }));
  }
});
