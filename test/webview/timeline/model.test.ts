import assert from 'node:assert/strict';
import { packRange } from '../../../src/control/timelineRows';
import { showing } from '../../../src/webview/timeline/model/timeScale';
import { TimelineModel } from '../../../src/webview/timeline/view/model';
import { columnsOf } from './columns';

describe('the time in view of a timeline', () => {
  /** INIT, and an hour later a second of requests. */
  const HOUR = 3.6e12;
  const begun = (): TimelineModel => {
    const model = new TimelineModel();
    model.begin(1, false, 0);
    const rows = [
      { start: 0, latency: 1e6 },
      ...Array.from({ length: 11 }, (_, i) => ({ start: HOUR + i * 1e8, latency: 1e6 })),
    ];
    model.captures[0].append(0, rows.length, packRange(columnsOf(rows), 0, rows.length));
    model.rowsChanged();
    return model;
  };

  it('is all but a lonely beginning, and goes no further', () => {
    const model = begun();
    assert.deepEqual(model.whole, { from: HOUR, to: HOUR + 1.001e9 });
    model.show({ from: 0, to: 1e9 });
    assert.ok(model.span.from > HOUR - 1e9);
  });

  it('goes to the lonely beginning while that is selected', () => {
    const model = begun();
    model.show({ from: HOUR, to: HOUR + 1e8 });
    model.select({ side: 0, row: 0 });
    model.show(showing(model.span, 0, 1e6, model.bounds));
    assert.ok(model.span.from <= 0 && model.span.to > 1e6);
    assert.ok(model.span.to < 2e8, 'no less near than before');
    model.fit();
    assert.ok(model.span.from > HOUR - 1e9, 'everything is as before');
    model.select(undefined);
    assert.deepEqual(model.bounds, model.whole);
  });

  it('is bounded as ever by what is selected within it', () => {
    const model = begun();
    model.select({ side: 0, row: 5 });
    assert.deepEqual(model.bounds, model.whole);
  });
});
