/** What VS Code would make a link of in a message is text. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkColorRules } from '../../src/ui/requests/colorRules';
import { sentence } from '../../src/ui/sentence';
import { unlinked } from '../../src/ui/unlinked';

/** As VS Code looks for links in messages (`linkedText.ts`). */
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;
const link = '[Open Settings](command:workbench.action.terminal.sendSequence?%5B%5D)';
const shown = (text: string): string => text.replaceAll('\u200b', '');

describe('the text of a message', () => {
  it('has no link in it, though a file or a folder is called so', () => {
    for (const text of [link, `Exported to /work/${link}/a.csv`, sentence(`${link} cannot be written`, link)]) {
      assert.match(text, LINK);
      assert.doesNotMatch(unlinked(text), LINK);
      assert.equal(shown(unlinked(text)), text);
    }
  });

  it('has none, whatever it is put together from', () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('[', ']', '(', ')', 'a', ' ', '"', 'command:', 'https://', link, '](', '\u200b')),
        (pieces) => {
          const text = pieces.join('');
          assert.doesNotMatch(unlinked(text), LINK);
          assert.equal(shown(unlinked(text)), shown(text));
        },
      ),
    ));

  it('is as it was where there is nothing to be a link', () => {
    for (const text of ['', 'Copied.', 'a[0] (of 2)', '/work/src (old)/[x]']) assert.equal(unlinked(text), text);
  });

  it('on colour rules says nothing in the words of the setting', () => {
    const { problems } = checkColorRules([
      { filter: 'read', color: link },
      { filter: link, color: 'red' },
      { filter: `path == ${JSON.stringify(link)} && ${link}`, color: 'red' },
    ]);
    assert.equal(problems.length, 3);
    for (const problem of problems) assert.doesNotMatch(problem, /command/);
  });
});
