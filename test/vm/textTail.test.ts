/** The end of what a program says, however it was cut on its way. */
import * as assert from 'node:assert/strict';
import { TextTail } from '../../src/vm/textTail';

describe('the tail of a text', () => {
  it('has characters whole that came in pieces', () => {
    const tail = new TextTail();
    for (const byte of Buffer.from('kein Speicher übrig, 記憶\n')) tail.add(Buffer.from([byte]));
    assert.deepEqual(tail.lines(1), ['kein Speicher übrig, 記憶']);
  });

  it('has no more than it is to keep, which is the last of it', () => {
    const tail = new TextTail(10);
    for (let i = 0; i < 1000; i++) tail.add(Buffer.from('0123456789abcdef'));
    assert.equal(tail.text, '6789abcdef');
  });

  it('does not begin in the middle of a character', () => {
    const tail = new TextTail(4);
    tail.add(Buffer.from('a😀bcd'));
    assert.equal(tail.text, 'bcd');
    tail.add(Buffer.from('😀'));
    assert.equal(tail.text, 'cd😀');
  });

  it('has lines without terminal control, around a sign or the last ones', () => {
    const tail = new TextTail();
    tail.add(Buffer.from('\x1b[1mone\x1b[0m\r\n\r\ntwo\nthree sign\nfour\nfive\nsix\n'));
    assert.deepEqual(tail.lines(2), ['five', 'six']);
    assert.deepEqual(tail.lines(5, 'sign'), ['one', 'two', 'three sign', 'four']);
  });
});
