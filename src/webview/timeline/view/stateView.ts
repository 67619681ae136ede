/** How it stands with the captures: how much is read, what is wrong with them, and, with nothing to see, why. */
import { capital } from '../../../base/capital';
import type { CaptureState, CaptureTrouble } from '../../../control/timeline';
import { button, el, icon, set } from './dom';
import type { TimelineModel } from './model';

const heads = {
  foreign: 'This is no capture',
  damaged: 'This capture is damaged',
  cut: 'This capture ends before its first request',
  unreadable: 'This capture cannot be read',
} as const;

export class StateView {
  readonly progress = el('div', {
    class: 'progress',
    role: 'progressbar',
    'aria-label': 'Reading',
    'aria-valuemin': 0,
    'aria-valuemax': 100,
    hidden: true,
  });
  readonly banner = el('div', { class: 'banner', role: 'alert', hidden: true });
  readonly failure = el('div', { class: 'failure', role: 'alert', hidden: true });
  private said = '';

  constructor(private readonly model: TimelineModel) {
    model.on('state', () => this.show());
  }

  private show(): void {
    const { model } = this;
    const states = model.states.filter((state) => state !== undefined);
    this.showProgress(states);
    const troubled = states.find(({ trouble }) => trouble !== undefined);
    const nothing = model.complete && model.empty && troubled !== undefined;
    this.failure.hidden = !nothing;
    if (nothing && troubled?.trouble) this.showFailure(troubled.title, troubled.trouble);
    this.showBanner(nothing ? [] : states.flatMap(linesOf));
  }

  private showProgress(states: readonly CaptureState[]): void {
    this.progress.hidden = !states.some(({ phase }) => phase === 'reading');
    const bytes = states.reduce((sum, state) => sum + state.bytes, 0);
    const read = states.reduce((sum, state) => sum + state.bytesRead, 0);
    const part = bytes === 0 ? 0 : read / bytes;
    this.progress.style.setProperty('--part', String(part));
    set(this.progress, { 'aria-valuenow': Math.round(part * 100) });
  }

  /** Shown again only when it says something new. */
  private showBanner(lines: readonly string[]): void {
    const text = lines.join('\n');
    if (text === this.said) return;
    this.said = text;
    this.banner.hidden = text === '';
    this.banner.replaceChildren(
      icon('warning'),
      el('div', {}, ...lines.map((line) => el('p', {}, line))),
      button('Close', 'close', () => {
        this.banner.hidden = true;
      }),
    );
  }

  /** In place of everything. */
  private showFailure(title: string, { kind, at, text, remedy }: CaptureTrouble): void {
    this.failure.replaceChildren(
      el(
        'div',
        {},
        icon('warning'),
        el('h1', {}, heads[kind]),
        el('p', { class: 'file' }, title),
        el('p', {}, sentence(text, at)),
        el('p', {}, remedy),
      ),
    );
  }
}

function linesOf({ notes, trouble }: CaptureState): string[] {
  const faults = trouble ? [`${sentence(trouble.text, trouble.at)} ${trouble.remedy}`] : [];
  return [...faults, ...notes.filter((line) => line !== trouble?.text).map((line) => sentence(line, undefined))];
}

/** With the place, where it does not say so itself. */
function sentence(text: string, at: number | undefined): string {
  return `${capital(text).replace(/\.$/, '')}${at !== undefined && at > 0 && !text.includes(String(at)) ? ` (at byte ${at})` : ''}.`;
}
