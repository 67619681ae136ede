/** Which request a reply or a host call belongs to. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Pairing } from '../../src/trace/pairing';

interface Ask {
  readonly queue?: number;
  readonly head?: number;
  readonly unique?: number;
  readonly taken?: number;
  readonly silent?: boolean;
}

/** The high words differ from the low ones, so that one taken for the other is seen. */
const HIGH = 0x8000_0000;

class Requests {
  readonly pairing = new Pairing();
  private rows = 0;

  request({ queue = 1, head = 0, unique = 2, taken = 0, silent = false }: Ask): number {
    return this.pairing.request(queue, head, this.rows++, HIGH + taken, taken, HIGH + unique, unique, silent);
  }

  /** The row that a reply belongs to; -1: none. */
  reply({ queue = 1, head = 0, unique = 2 }: Ask): number {
    const slot = this.pairing.reply(queue, head, HIGH + unique, unique);
    return slot < 0 ? -1 : this.pairing.row(slot);
  }

  hostCall({ queue = 1, head = 0, taken = 0 }: Ask): number {
    return this.pairing.taken(queue, head, HIGH + taken, taken);
  }
}

describe('pairing', () => {
  let requests: Requests;
  beforeEach(() => (requests = new Requests()));

  it('a reply belongs to the request with its queue, head and unique', () => {
    requests.request({ head: 3, unique: 2 });
    requests.request({ head: 4, unique: 4 });
    requests.request({ queue: 2, head: 3, unique: 6 });
    assert.equal(requests.reply({ queue: 2, head: 3, unique: 6 }), 2);
    assert.equal(requests.reply({ head: 4, unique: 4 }), 1);
    assert.equal(requests.reply({ head: 3, unique: 2 }), 0);
  });

  it('none with another queue, head or unique, and none twice', () => {
    requests.request({ unique: 2 });
    assert.equal(requests.reply({ queue: 2 }), -1);
    assert.equal(requests.reply({ head: 1 }), -1);
    assert.equal(requests.reply({ unique: 4 }), -1);
    assert.equal(requests.pairing.reply(1, 0, 0, 2), -1, 'the high word counts');
    assert.equal(requests.reply({}), 0);
    assert.equal(requests.reply({}), -1);
  });

  it('a head that is used again stands for the newest request', () => {
    const first = requests.request({ unique: 2, taken: 10 });
    assert.equal(requests.request({ unique: 4, taken: 20 }), first, 'in the same slot');
    assert.equal(requests.reply({ unique: 2 }), -1);
    assert.equal(requests.hostCall({ taken: 10 }), -1);
    assert.equal(requests.reply({ unique: 4 }), 1);
  });

  it('a request that wants no reply has none', () => {
    requests.request({ silent: true });
    assert.equal(requests.reply({}), -1);
  });

  it('a host call belongs to the request taken when it says, also after its reply', () => {
    requests.request({ taken: 10 });
    assert.equal(requests.hostCall({ taken: 10 }), 0);
    assert.equal(requests.hostCall({ taken: 11 }), -1);
    assert.equal(requests.hostCall({ taken: 10, head: 1 }), -1);
    requests.reply({});
    assert.equal(requests.hostCall({ taken: 10 }), 0);
  });

  it('rows that are dropped get nothing any more; the others are found by their new numbers', () => {
    for (let head = 0; head < 4; head++) requests.request({ head, unique: 2 * head, taken: head });
    requests.pairing.drop(2);
    assert.equal(requests.reply({ head: 1, unique: 2 }), -1);
    assert.equal(requests.hostCall({ head: 1, taken: 1 }), -1);
    assert.equal(requests.hostCall({ head: 3, taken: 3 }), 1);
    assert.equal(requests.reply({ head: 3, unique: 6 }), 1);
  });

  it('nothing before `clear` has anything to do with what comes', () => {
    requests.request({ taken: 10 });
    requests.pairing.clear();
    assert.deepEqual([requests.reply({}), requests.hostCall({ taken: 10 })], [-1, -1]);
    assert.equal(requests.request({}), 0, 'slots begin anew');
  });

  it('does as a map by queue and head does, however many there are', () => {
    const ask = fc.record({
      what: fc.constantFrom('request', 'reply'),
      queue: fc.nat(2),
      head: fc.nat(200),
      unique: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(ask, { maxLength: 600, size: 'max' }), (asks) => {
        const under = new Requests();
        const waiting = new Map<string, { row: number; unique: number }>();
        let rows = 0;
        for (const { what, ...each } of asks) {
          const key = `${each.queue} ${each.head}`;
          if (what === 'request') {
            under.request(each);
            waiting.set(key, { row: rows++, unique: each.unique });
            continue;
          }
          const found = waiting.get(key);
          const isIts = found?.unique === each.unique;
          assert.equal(under.reply(each), isIts ? found.row : -1);
          if (isIts) waiting.delete(key);
        }
      }),
    );
  });
});
