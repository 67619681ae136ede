/** What a daemon tells of a held request, as it is shown. */
import assert from 'node:assert/strict';
import type { CallFacts, RequestFacts } from '../../src/control/debug';
import { handleFacts, inodeFacts, livePicture } from '../../src/debug/livePicture';
import type { Fact, Picture } from '../../src/debug/picture';
import { hostCallNumber } from '../../src/protocol/hostCalls';
import { heldRequest, requestFacts } from './liveFacts';
import { handle, inode } from './samples';

const picture = (more: Partial<RequestFacts> = {}): Picture =>
  livePicture(1001, {
    facts: requestFacts(more),
    descriptors: [{ address: '18446744073709551615', length: 40, writable: false }],
    requestBytes: new Uint8Array(0),
    replyBytes: undefined,
  });

const call = (name: string, fd: number, result?: number): CallFacts => ({
  call: hostCallNumber[name],
  name,
  arguments: [String(fd)],
  texts: [],
  otherThread: false,
  ...(result === undefined ? {} : { result, milliseconds: 0.25 }),
});

const value = (facts: readonly Fact[], name: string): string | undefined =>
  facts.find((one) => one.name === name)?.value;

describe('pictures of a share that runs', () => {
  it('have the request’s title, its thread, and addresses of 64 bits', () => {
    const { title, facts } = picture();
    assert.deepEqual([title, facts.thread, facts.phase], ['READ unique=812 /a.db', 1001, 'entry']);
    assert.equal(facts.descriptors?.[0].address, 0xffff_ffff_ffff_ffffn);
  });

  describe('host calls', () => {
    const shown = (held: Parameters<typeof heldRequest>[0], calls: readonly CallFacts[]) => {
      const { facts } = picture({ held: heldRequest(held), calls: [...calls] });
      return [facts.calls.map((one) => one.result), facts.current];
    };

    it('one that is about to be made is among them, in the list already or not', () => {
      const made = call('openat', 3, 14);
      const coming = call('statx', 14);
      assert.deepEqual(shown({ phase: 'call', call: coming }, [made, coming]), [[14, undefined], 1]);
      assert.deepEqual(shown({ phase: 'call', call: coming }, [made]), [[14, undefined], 1]);
    });

    it('the same one made again is another', () => {
      const again = call('statx', 14);
      assert.deepEqual(shown({ phase: 'call', call: again }, [call('statx', 14, 0)]), [[0, undefined], 1]);
    });

    it('one that has been made has its result, in nanoseconds', () => {
      const made = call('statx', 14, -2);
      assert.deepEqual(shown({ phase: 'called', call: made }, [call('openat', 3, 14), made]), [[14, -2], 1]);
      assert.equal(picture({ calls: [made] }).facts.calls[0].duration, 250_000);
    });

    it('at the reply it stands at none', () => {
      const made = call('statx', 14, 0);
      assert.deepEqual(shown({ phase: 'reply', call: made }, [made]), [[0], undefined]);
      assert.deepEqual(shown({ phase: 'reply' }, [made]), [[0], undefined]);
    });
  });

  it('offer what a person can do with them, and nothing that is only for the protocol', () => {
    assert.deepEqual([...picture({ can: ['continue', 'stepIn', 'answer', 'rerun'] }).facts.can], ['answer', 'rerun']);
  });

  it('say why the server refuses it, and that it was changed', () => {
    assert.deepEqual(picture().facts.notes, []);
    const { notes } = picture({ refusal: 'shorter than its header', held: heldRequest({ changed: true }) }).facts;
    assert.deepEqual(notes, ['the server refuses it: shorter than its header', 'changed by the debugger']);
  });

  it('say of the session what INIT has agreed on, or that it has not come', () => {
    const before = picture().facts;
    assert.deepEqual([before.session, value(before.sessionFacts, 'started')], [undefined, 'false']);
    const session = { ...requestFacts().session, started: true, minor: 38, maxWrite: 1 << 20 };
    const { facts } = picture({ session });
    assert.equal(facts.session?.minor, 38);
    assert.deepEqual([value(facts.sessionFacts, 'minor'), value(facts.sessionFacts, 'max_write')], ['7.38', '1048576']);
  });

  it('name inodes and handles; an inode may have no descriptor', () => {
    assert.deepEqual([value(inodeFacts(inode), 'path'), value(inodeFacts(inode), 'descriptor')], ['/a.db', '12']);
    assert.equal(value(inodeFacts({ ...inode, descriptor: -1 }), 'descriptor'), 'none');
    assert.deepEqual([value(handleFacts(handle), 'kind'), value(handleFacts(handle), 'descriptor')], ['file', '14']);
  });
});
