/** Texts of paths, asked for when they are first wanted, many at a time. */
import { MOST_ASKED, type Side } from '../../../control/timeline';
import type { Connection } from './connection';

const MOST_KEPT = 50_000;
/** What is wanted is collected for so long, milliseconds: in motion each frame wants others. */
const COLLECTED = 40;

export class PathTexts {
  private readonly texts = [new Map<number, string>(), new Map<number, string>()] as const;
  private readonly wanted = [new Set<number>(), new Set<number>()] as const;
  private asking = false;

  /** `changed`: texts have come. */
  constructor(
    private readonly connection: Connection,
    private readonly changed: () => void,
  ) {}

  /** undefined: not known so far, and asked for. */
  get(side: Side, path: number): string | undefined {
    if (path === 0) return '';
    const text = this.texts[side].get(path);
    if (text === undefined) {
      this.wanted[side].add(path);
      if (!this.asking) {
        this.asking = true;
        window.setTimeout(() => void this.askAll(), COLLECTED);
      }
    }
    return text;
  }

  private async askAll(): Promise<void> {
    for (const side of [0, 1] as const) {
      const paths = [...this.wanted[side]].slice(0, MOST_ASKED);
      for (const path of paths) this.wanted[side].delete(path);
      if (paths.length === 0) continue;
      if (this.texts[side].size > MOST_KEPT) this.texts[side].clear();
      try {
        const { texts } = await this.connection.ask({ about: 'paths', side, paths });
        paths.forEach((path, i) => this.texts[side].set(path, texts[i] || '?'));
      } catch {
        // The page is going; nobody will look at them.
      }
    }
    this.asking = false;
    this.changed();
  }
}
