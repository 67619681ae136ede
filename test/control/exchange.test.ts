import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
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

  it('leave nothing behind once they are over', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heldBytes = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    let sends = true;
    let id = 0;
    const asker = new Asker<string, string>((question) => {
      ({ id } = question);
      if (!sends) throw new Error('closed');
    });
    const many = 20_000;
    // What is kept of a question is more than a hundred bytes.
    const nothing = many * 50;
    const before = heldBytes();
    for (let i = 0; i < many; i++) {
      const asked = asker.ask('a');
      asker.take({ kind: 'answer', id, give: 'A' });
      await asked;
    }
    const answered = heldBytes() - before;
    assert.ok(answered < nothing, `answered: ${answered} bytes`);
    sends = false;
    for (let i = 0; i < many; i++) await asker.ask('a').catch(() => undefined);
    sends = true;
    const unsent = heldBytes() - before;
    assert.ok(unsent < nothing, `not sent: ${unsent} bytes`);
    let refused = 0;
    for (let i = 0; i < many; i++) void asker.ask('a').catch(() => refused++);
    asker.end('the timeline is gone');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(refused, many);
    const open = heldBytes() - before;
    assert.ok(open < nothing, `still open at the end: ${open} bytes`);
    await assert.rejects(asker.ask('b'), /is gone/);
  });
});
