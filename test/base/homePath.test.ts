import assert from 'node:assert/strict';
import { homePath } from '../../src/base/homePath';

describe('a path as people write it', () => {
  for (const [path, home, shown] of [
    ['/home/ada/work', '/home/ada', '~/work'],
    ['/home/ada', '/home/ada', '~'],
    ['/home/adam/work', '/home/ada', '/home/adam/work'],
    ['/srv/work', '/home/ada', '/srv/work'],
    ['/srv/work', '/', '/srv/work'],
    ['/srv/work', '', '/srv/work'],
  ]) {
    it(`shows ${path} as ${shown} where ${home === '' ? 'no folder' : home} is the home`, () => {
      assert.equal(homePath(path, home), shown);
    });
  }
});
