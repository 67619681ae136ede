import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { ShareWatch } from '../../../src/ui/captures/shareWatch';

describe('who watches for a share', () => {
  let looks = 0;
  let expected = false;
  let watch: ShareWatch;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    [looks, expected] = [0, false];
    watch = new ShareWatch(
      () => looks++,
      () => expected,
    );
  });

  afterEach(() => {
    watch.dispose();
    mock.timers.reset();
  });

  const looksIn = (milliseconds: number): number => {
    const before = looks;
    for (let passed = 0; passed < milliseconds; passed += 50) mock.timers.tick(50);
    return looks - before;
  };

  it('looks at once, then now and then, while somebody looks at captures', () => {
    assert.equal(looksIn(5000), 0);
    watch.watch(true);
    watch.watch(true);
    assert.equal(looks, 1);
    assert.equal(looksIn(4500), 3);
    watch.watch(false);
    assert.equal(looksIn(5000), 0);
  });

  it('looks all the time while a guest is on its way, from the moment that it is', () => {
    watch.watch(true);
    expected = true;
    watch.turn();
    assert.equal(looks, 2);
    assert.equal(looksIn(1000), 10);
    expected = false;
    watch.turn();
    assert.equal(looksIn(3000), 2);
  });

  it('does not look for a guest on its way while nobody looks at captures', () => {
    expected = true;
    watch.turn();
    assert.equal(looksIn(5000), 0);
    watch.watch(true);
    watch.dispose();
    assert.equal(looksIn(5000), 0);
  });
});
