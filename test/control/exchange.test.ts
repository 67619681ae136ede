import assert from 'node:assert/strict';
import { answer, Asker, type Question } from '../../src/control/exchange';

describe('questions and answers', () => {
  it('find each other, in whatever order answers come', async () => {
    const sent: Question<string>[] = [];
    const asker = new Asker<string, string>((question) => sent.push(question));
    const both = Promise.all([asker.ask('a'), asker.ask('b')]);
    asker.take({ kind: 'answer', id: sent[1].id, give: 'B' });
    asker.take({ kind: 'answer', id: sent[0].id, give: 'A' });
    assert.deepEqual(await both, ['A', 'B']);
  });

  it('fail where the other side fails', async () => {
    const asker = new Asker<string, string>((question) => {
      void answer<string, string>(question, () => Promise.reject(new Error('no such row'))).then((a) => asker.take(a));
    });
    await assert.rejects(asker.ask('a'), /no such row/);
  });

  it('fail where nothing can be sent', async () => {
    const asker = new Asker<string, string>(() => {
      throw new Error('closed');
    });
    await assert.rejects(asker.ask('a'), /closed/);
  });

  it('are not waited for after the end', async () => {
    const asker = new Asker<string, string>(() => undefined);
    const open = asker.ask('a');
    asker.end('the timeline is gone');
    await assert.rejects(open, /is gone/);
    await assert.rejects(asker.ask('b'), /is gone/);
  });

  it('pass over an answer that nobody waits for', () => {
    const asker = new Asker<string, string>(() => undefined);
    asker.take({ kind: 'answer', id: 77, give: 'late' });
  });
});
