import assert from 'node:assert/strict';
import { mirrorOfTemplate } from '../../src/vm/privateApt';

describe("the mirror that python-apt's description of a distribution names", () => {
  it('is the first archive, without a slash at its end', () => {
    const template = [
      'ChangelogURI: https://changes.example/%s',
      '',
      'Suite: {series}',
      'BaseURI: https://archive.example/debian/',
      '',
      'Suite: {series}-security',
      'BaseURI: https://security.example/',
    ].join('\n');
    assert.equal(mirrorOfTemplate(template), 'https://archive.example/debian');
  });

  it('is unknown where no archive is named', () => {
    assert.equal(mirrorOfTemplate('Suite: {series}\n'), undefined);
  });
});
