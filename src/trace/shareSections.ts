/**
 * What section headers and interfaces say of the share: its facts, whether a section goes on with the one before it,
 * and whether packets of several shares are mixed. Whoever wrote them may lie: nothing is believed but that.
 */
import type { ShareFacts } from './capture';

export class ShareSections {
  /** Of the first section that has any. */
  facts: ShareFacts = {};
  /** Several shares in one section. */
  mixed = false;
  private count = 0;
  /** Of the section: which piece of a rotated capture it is, and the share that its first interface belongs to. */
  private piece: number | undefined;
  private tag: string | undefined;

  /** A section with these comments begins; whether nothing that came before is true in it. */
  begin(comments: readonly string[]): boolean {
    const facts = comments.map(factsIn).find((each) => each !== undefined) ?? {};
    const piece = typeof facts.piece === 'number' ? facts.piece : undefined;
    const goesOn =
      piece !== undefined &&
      this.piece !== undefined &&
      piece === this.piece + 1 &&
      facts.tag === this.facts.tag &&
      facts.directory === this.facts.directory;
    this.piece = piece;
    this.tag = undefined;
    if (Object.keys(this.facts).length === 0) this.facts = facts;
    return this.count++ > 0 && !goesOn;
  }

  interface(name: string): void {
    const tag = name.replace(/(^| )(control|host|queue \d+)$/, '');
    this.tag ??= tag;
    if (tag !== this.tag) this.mixed = true;
  }
}

/** One line of JSON about the share, from whoever. */
function factsIn(comment: string): ShareFacts | undefined {
  try {
    const facts: unknown = JSON.parse(comment);
    return typeof facts === 'object' && facts !== null && !Array.isArray(facts) ? (facts as ShareFacts) : undefined;
  } catch {
    return undefined;
  }
}
