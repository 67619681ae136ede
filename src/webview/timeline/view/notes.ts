/** The notes and the ways to them: a new one on what is looked at, from one to the next, and where they are kept. */
import type { Note, ToTimeline } from '../../../control/timeline';
import type { TimelineModel } from './model';
import { NotesView } from './notesView';

export interface NotesParts {
  readonly model: TimelineModel;
  /** To where they are kept. */
  keep(changed: readonly Note[], removed: readonly string[], edition: number): void;
  /** The list is to be seen, with so many in it. */
  open(): void;
  counted(count: number): void;
  goTo(note: Note): void;
  leave(): void;
  say(text: string): void;
}

export class Notes {
  private readonly view: NotesView;
  /** Those that are kept have come: what the page has changed can be told from them. */
  private given = false;
  /** Counts the changes of this page that were given to be kept. */
  private edition = 0;

  constructor(private readonly parts: NotesParts) {
    this.view = new NotesView({
      model: parts.model,
      save: (notes) => this.save(notes),
      go: (note) => parts.goTo(note),
      leave: () => parts.leave(),
    });
  }

  get element(): HTMLElement {
    return this.view.element;
  }

  /** As they are kept. */
  take({ notes, edition, place, problem }: Extract<ToTimeline, { kind: 'notes' }>): void {
    // Said before the newest change was heard of. What is being written now is not in it, and another answer will come.
    if (edition < this.edition) return;
    const { model } = this.parts;
    const early = this.given ? [] : model.notes;
    this.given = true;
    model.notesPlace = place;
    model.notesProblem = problem;
    this.parts.counted(notes.length + early.length);
    model.notes = notes;
    if (early.length > 0) return this.save([...notes, ...early]);
    model.tell('notes');
  }

  /** On the selected request, or else on the middle of the view. */
  add(): void {
    const { selected, notes } = this.parts.model;
    const id = crypto.randomUUID();
    this.parts.open();
    this.save([...notes, { id, at: Math.round(this.now()), text: '', ...(selected && { row: selected.row }) }]);
    this.view.edit(id);
  }

  step(step: 1 | -1): void {
    const now = this.now();
    const ordered = [...this.parts.model.notes].sort((a, b) => (a.at - b.at) * step);
    const next = ordered.find(({ at }) => (at - now) * step > 0.5);
    if (next) this.parts.goTo(next);
    else this.parts.say('No further note');
  }

  private now(): number {
    const { selected, span, captures } = this.parts.model;
    return selected ? captures[selected.side].rows.columns.start[selected.row] : (span.from + span.to) / 2;
  }

  private save(notes: readonly Note[]): void {
    const { model, keep } = this.parts;
    const before = new Set(model.notes);
    const left = new Set(notes.map(({ id }) => id));
    model.notes = notes;
    model.tell('notes');
    if (!this.given) return;
    const removed = [...before].filter(({ id }) => !left.has(id)).map(({ id }) => id);
    keep(
      notes.filter((note) => !before.has(note)),
      removed,
      ++this.edition,
    );
  }
}
