/** Notes on moments and requests: a list that is written in, and leads to where they are. */
import type { Note } from '../../../control/timeline';
import { button, el } from './dom';
import type { TimelineModel } from './model';

export interface NotesViewParts {
  readonly model: TimelineModel;
  save(notes: readonly Note[]): void;
  go(note: Note): void;
  /** Back to the timeline. */
  leave(): void;
}

const places = {
  beside: 'Kept beside the capture, in a file of their own.',
  workspace: 'Kept in VS Code, for this workspace.',
  memory: 'Kept as long as this timeline is open.',
} as const;

export class NotesView {
  readonly element: HTMLElement;
  private readonly items = new Map<string, { readonly note: Note; readonly item: HTMLElement }>();
  private readonly list = el('ul', { class: 'notes-list', 'aria-label': 'Notes' });
  private readonly place = el('p', { class: 'doc', role: 'status' });
  private readonly empty = el(
    'p',
    { class: 'empty' },
    'No notes. Press B on the timeline to note something about the selected request.',
  );

  constructor(private readonly parts: NotesViewParts) {
    this.element = el('div', { class: 'notes', tabindex: -1 }, this.list, this.empty, this.place);
    parts.model.on('notes', () => this.show());
    this.show();
  }

  private show(): void {
    const { notes, notesPlace, notesProblem } = this.parts.model;
    this.empty.hidden = notes.length > 0;
    this.place.textContent = notesProblem ?? (notes.length > 0 ? places[notesPlace] : '');
    const ordered = [...notes].sort((a, b) => a.at - b.at);
    // Those that are here stay, above all the one that is being written.
    const known = new Map(this.items);
    this.items.clear();
    ordered.forEach((note, i) => {
      const before = known.get(note.id);
      const isSame = before?.note.at === note.at && before.note.row === note.row;
      const item = isSame ? before.item : this.item(note);
      if (isSame) known.delete(note.id);
      this.items.set(note.id, { note, item });
      const input = item.querySelector('input');
      if (input && input !== document.activeElement) input.value = note.text;
      if (input) input.dataset['tip'] = note.text;
      if (this.list.children[i] !== item) this.list.insertBefore(item, this.list.children[i] ?? null);
    });
    for (const { item } of known.values()) item.remove();
  }

  edit(id: string): void {
    this.list.querySelector<HTMLElement>(`[data-note="${CSS.escape(id)}"]`)?.focus();
  }

  private item(note: Note): HTMLElement {
    const { parts } = this;
    // It was in an older file of the capture, which is gone.
    const before = note.at < 0 ? 'not there' : '';
    const where = note.row === undefined ? before : `request ${parts.model.first + note.row}`;
    const go = el('button', { type: 'button', class: 'link' }, `${(note.at / 1e9).toFixed(6)} s`);
    go.addEventListener('click', () => parts.go(note));
    const text = el('input', {
      type: 'text',
      value: note.text,
      placeholder: 'What is to be seen here?',
      'aria-label': `Note at ${(note.at / 1e9).toFixed(6)} seconds ${where}`,
      maxlength: 10_000,
      'data-note': note.id,
    });
    text.addEventListener('change', () => {
      const others = parts.model.notes.map((each) => (each.id === note.id ? { ...each, text: text.value } : each));
      parts.save(others);
    });
    text.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      text.value = parts.model.notes.find(({ id }) => id === note.id)?.text ?? '';
      parts.leave();
    });
    const remove = button('Remove the note', 'trash', () => {
      const next = (item.nextElementSibling ?? item.previousElementSibling)?.querySelector('input');
      parts.save(parts.model.notes.filter((each) => each.id !== note.id));
      // Its button goes with it; who works with keys stays in the list.
      if (next) next.focus();
      else this.element.focus();
    });
    const item = el('li', {}, go, el('span', { class: 'where' }, where), text, remove);
    return item;
  }
}
