/** The way to the extension: messages out, messages in, questions and their answers. */
import { Asker, type Question } from '../../../control/exchange';
import type { Asked, FromTimeline, Given, GivenAbout, ToTimeline } from '../../../control/timeline';

interface VscodeApi {
  postMessage(message: FromTimeline): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VscodeApi;

/** Messages that are no answers. */
export type Told = Exclude<ToTimeline, { kind: 'answer' }>;

export class Connection {
  private readonly api = acquireVsCodeApi();
  private readonly asker = new Asker<Asked, Given>((question: Question<Asked>) => this.api.postMessage(question));

  constructor(take: (message: Told) => void) {
    window.addEventListener('message', ({ data }: MessageEvent<ToTimeline>) => {
      if (data.kind === 'answer') this.asker.take(data);
      else take(data);
    });
    window.addEventListener('pagehide', () => this.asker.end('the timeline has been closed'));
  }

  send(message: FromTimeline): void {
    this.api.postMessage(message);
  }

  async ask<About extends Asked['about']>(ask: Extract<Asked, { about: About }>): Promise<GivenAbout<About>> {
    const given = await this.asker.ask(ask);
    if (given.about !== ask.about) throw new Error(`asked about ${ask.about}, told about ${given.about}`);
    return given as GivenAbout<About>;
  }

  get state(): unknown {
    return this.api.getState();
  }

  set state(state: unknown) {
    this.api.setState(state);
  }
}
