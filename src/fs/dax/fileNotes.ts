/**
 * What there is to tell a person of files and the DAX window: the newest notes, each file's reason once. Bounded,
 * whatever a guest or the host does.
 */
import type { Node } from '../fileSystem';
import { DaxNote, type NoteFacts } from './frontEnd';

/** So many are kept; older ones are only counted. */
export const MOST_NOTES = 256;

export class FileNotes {
  private readonly kept: NoteFacts[] = [];
  /** The reason told last of each node that has one. */
  private readonly reasons = new Map<Node, string>();
  /** How many were ever made. */
  count = 0;

  constructor(private readonly told: (note: NoteFacts) => void) {}

  /** Oldest first. */
  get newest(): readonly NoteFacts[] {
    return this.kept;
  }

  add(note: NoteFacts): void {
    this.count++;
    this.kept.push(note);
    if (this.kept.length > MOST_NOTES) this.kept.shift();
    this.told(note);
  }

  /** A file is served without the window; told when the reason is a new one. `describe` makes the note then. */
  refused(node: Node, reason: string, describe: (reason: string) => Omit<NoteFacts, 'what' | 'text'>): void {
    if (this.reasons.get(node) === reason) return;
    this.reasons.set(node, reason);
    this.add({ ...describe(reason), what: DaxNote.Refused, text: reason });
  }

  /** A file goes through the window (again), or its node has ended. */
  accepted(node: Node): void {
    this.reasons.delete(node);
  }
}
