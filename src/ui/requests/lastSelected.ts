/**
 * Which request was selected last, by a person or by a command. VS Code says so a while after a command has asked for
 * it, and nothing is selected for a moment while the tree is shown anew: who goes on from there goes on from here.
 * Knows nothing of vscode.
 */
export class LastSelected {
  private last: { readonly capture: string; readonly at: number } | undefined;
  /** Asked for, and not heard of yet. */
  private readonly awaited = new Set<number>();

  in(capture: string | undefined): number | undefined {
    return this.last?.capture === capture ? this.last?.at : undefined;
  }

  /** A command selects a request. */
  asked(capture: string, at: number): void {
    this.last = { capture, at };
    this.awaited.add(at);
  }

  /** VS Code says what is selected. */
  heard(capture: string, at: number): void {
    if (this.last?.at === at) this.awaited.clear();
    // What was asked for before the last.
    else if (!this.awaited.delete(at)) this.last = { capture, at };
  }
}
