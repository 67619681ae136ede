/** The keys of the lanes in words: a dialog for who asks, and a text for who hears. */
import { el } from './dom';
import { keyHelp } from './lanesInput';

/** Closed by Escape, a click, or the key that opened it. */
export function keysDialog(): HTMLDialogElement {
  const dialog = el(
    'dialog',
    { class: 'help', 'aria-labelledby': 'keys-title' },
    el('h2', { id: 'keys-title' }, 'Keys and pointer'),
    el('dl', {}, ...keyHelp.flatMap(([keys, what]) => [el('dt', {}, keys), el('dd', {}, what)])),
  );
  dialog.addEventListener('click', () => dialog.close());
  return dialog;
}

/** What describes the lanes. */
export const keysAloud = (): HTMLElement =>
  el('p', { id: 'lanes-keys', class: 'screen-reader' }, keyHelp.map((line) => line.join(': ')).join('. '));
