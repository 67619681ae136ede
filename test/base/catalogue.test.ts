import assert from 'node:assert/strict';
import { Trouble, type TroubleCode, catalogue, trouble } from '../../src/base/catalogue';

describe('the catalogue of errors', () => {
  it('makes an error with its facts, a remedy and an exit code', () => {
    const error = trouble('optionNeedsValue', '--cache', 'MODE');
    assert.ok(error instanceof Trouble && error instanceof Error);
    assert.equal(error.message, '--cache needs a value');
    assert.equal(error.remedy, 'Give it as --cache=MODE.');
    assert.equal(error.exitCode, 2);
    assert.equal(error.toString(), 'error: --cache needs a value [optionNeedsValue]\n  Give it as --cache=MODE.');
  });

  it('have their code behind the sentence, not behind what a guest or a program has said last', () => {
    const error = trouble('guestNotUp', 'it ended', '\n  | one\n  | two', 'Try again.');
    assert.equal(error.toString(), 'error: it ended [guestNotUp]\n  | one\n  | two\n  Try again.');
  });

  it('has no text that begins with an argument, which may be a name and gets no capital letter', () => {
    // Where it is an option, which begins with a dash, or words of this project's own.
    const options =
      'optionUnsupported optionNeedsValue optionTakesNoValue optionBadValue daxOptionAlone descriptorUnusable qemuOnly numberBad viewOptionBad';
    const words =
      'captureForeign debugOnlyLive debugOnlyCapture debugNotNow debugNotSettable debugRefused toolMissing guestNotUp shareWordsBad unexpected';
    const begins = (Object.keys(catalogue) as TroubleCode[]).filter((code) => {
      const facts = Array.from({ length: catalogue[code].length }, (_, at) => `fact${at}`);
      return /^fact\d/.test(trouble(code, ...(facts as Parameters<(typeof catalogue)[typeof code]>)).message);
    });
    assert.deepEqual(begins.sort(), `${options} ${words}`.split(' ').sort());
  });

  it('has a text without a full stop, a remedy and an exit code in every row', () => {
    for (const code of Object.keys(catalogue) as TroubleCode[]) {
      const row = trouble(
        code,
        ...(['one', 'two', 'three', 'four', 'five'] as unknown as Parameters<(typeof catalogue)[typeof code]>),
      );
      assert.match(row.message, /[^.\s]$/, code);
      assert.match(row.remedy, /\S/, code);
      assert.ok([2, 3, 4].includes(row.exitCode), code);
    }
  });
});
