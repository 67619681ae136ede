/** The queue worker's one alarm. */
import assert from 'node:assert/strict';
import { EpollAlarm } from '../../src/daemon/alarm';

const until = (alarm: EpollAlarm): Promise<void> => new Promise((resolve) => setTimeout(resolve, alarm.timeout()));

describe('alarm', () => {
  it('waits without end when nobody has asked', () => {
    const alarm = new EpollAlarm();
    assert.equal(alarm.timeout(), -1);
    alarm.ring();
  });

  it('rings once, not early', async () => {
    const alarm = new EpollAlarm();
    let rung = 0;
    alarm.wake(20, () => rung++);
    assert.ok(alarm.timeout() > 10 && alarm.timeout() <= 20);
    alarm.ring();
    assert.equal(rung, 0);
    await until(alarm);
    while (rung === 0) alarm.ring();
    alarm.ring();
    assert.deepEqual([rung, alarm.timeout()], [1, -1]);
  });

  it('may be set again by whom it wakes', () => {
    const alarm = new EpollAlarm();
    let rung = 0;
    alarm.wake(0, () => alarm.wake(0, () => rung++));
    alarm.ring();
    assert.equal(rung, 0);
    assert.equal(alarm.timeout(), 0);
    alarm.ring();
    assert.equal(rung, 1);
  });

  it('a sooner one replaces a later one', () => {
    const alarm = new EpollAlarm();
    const rung: string[] = [];
    alarm.wake(60_000, () => rung.push('later'));
    alarm.wake(0, () => rung.push('sooner'));
    alarm.ring();
    assert.deepEqual(rung, ['sooner']);
  });
});
