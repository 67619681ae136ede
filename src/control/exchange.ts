/**
 * Questions and answers over any channel that carries messages: each question has a number, each number one answer.
 *
 * Owns the bookkeeping: who waits for which answer, and that nobody waits for ever (a failed answer rejects, the end of
 * the channel rejects all). Knows neither what is asked nor how messages travel.
 */

/** What was asked, by the one who asks. */
export interface Question<Ask> {
  readonly kind: 'question';
  readonly id: number;
  readonly ask: Ask;
}

export type Answer<Give> =
  | { readonly kind: 'answer'; readonly id: number; readonly give: Give }
  | { readonly kind: 'answer'; readonly id: number; readonly failure: string };

interface Waiting<Give> {
  resolve(give: Give): void;
  reject(error: Error): void;
}

/** The asking side. */
export class Asker<Ask, Give> {
  private readonly waiting = new Map<number, Waiting<Give>>();
  private next = 1;
  private ended: string | undefined;

  constructor(private readonly send: (question: Question<Ask>) => void) {}

  ask(ask: Ask): Promise<Give> {
    if (this.ended !== undefined) return Promise.reject(new Error(this.ended));
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      try {
        this.send({ kind: 'question', id, ask });
      } catch (error) {
        this.waiting.delete(id);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** An answer has come. One that nobody waits for is passed over. */
  take(answer: Answer<Give>): void {
    const waiting = this.waiting.get(answer.id);
    if (!waiting) return;
    this.waiting.delete(answer.id);
    if ('failure' in answer) waiting.reject(new Error(answer.failure));
    else waiting.resolve(answer.give);
  }

  /** No more answers will come. */
  end(reason: string): void {
    this.ended = reason;
    for (const { reject } of this.waiting.values()) reject(new Error(reason));
    this.waiting.clear();
  }
}

/** The answering side: always answers, with a failure where `give` fails. */
export async function answer<Ask, Give>(
  { id, ask }: Question<Ask>,
  give: (ask: Ask) => Give | Promise<Give>,
): Promise<Answer<Give>> {
  try {
    return { kind: 'answer', id, give: await give(ask) };
  } catch (error) {
    return { kind: 'answer', id, failure: error instanceof Error ? error.message : String(error) };
  }
}
