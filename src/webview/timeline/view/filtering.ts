/**
 * Which rows the filter lets pass. The extension knows the language and looks at the rows; it answers once for those
 * that are there, and tells of later ones by the number that the filter was asked with. Answers to older filters are
 * dropped.
 */
import type { FilterTrouble, ToTimeline } from '../../../control/timeline';
import type { Connection } from './connection';
import type { TimelineModel } from './model';

export class Filtering {
  private number = 0;

  constructor(
    private readonly model: TimelineModel,
    private readonly connection: Connection,
  ) {}

  /** The rows are others now: answers about those before mean nothing. */
  begin(): void {
    this.number++;
  }

  /** Resolves to what is wrong with it. */
  async apply(text: string): Promise<FilterTrouble | undefined> {
    const number = ++this.number;
    try {
      const given = await this.connection.ask<'filter'>({ about: 'filter', filter: number, text });
      if (number !== this.number) return undefined;
      if ('trouble' in given) return given.trouble;
      this.model.captures.forEach((capture, side) => capture.filter(given.passed?.[side]));
      this.model.rowsChanged();
    } catch (error) {
      if (number !== this.number) return undefined;
      const message = error instanceof Error ? error.message : String(error);
      return { message, from: 0, to: text.length };
    }
    return undefined;
  }

  /** Of rows that came after the answer. */
  take({ filter, side, rows }: Extract<ToTimeline, { kind: 'passed' }>): void {
    if (filter !== this.number) return;
    this.model.captures[side]?.pass(rows);
    this.model.rowsChanged();
  }
}
