/** The selected request: what, where its time went, the fields and the bytes of its messages, host system calls. */
import type { MessageView, PhaseTimes, RequestView } from '../../../control/timeline';
import { isFailed } from '../../../trace/expectedErrors';
import { BytesView } from './bytesView';
import { el, set } from './dom';
import { printDuration, printWait } from '../../../trace/times';
import { FieldTree } from './fieldTree';
import type { Selected, TimelineModel } from './model';
import { showPath } from './pathText';

export interface DetailsParts {
  readonly model: TimelineModel;
  request(selected: Selected): Promise<RequestView>;
  say(text: string): void;
}

const phases = ['queued', 'daemon', 'host', 'reply'] as const;
const phaseTitles = {
  queued: 'queued',
  daemon: 'in daemon',
  host: 'host system calls',
  reply: 'reply',
} as const;

export class Details {
  readonly element: HTMLElement;
  private readonly body = el('div', { class: 'details-body' });
  private shown: Selected | undefined;
  private number = 0;
  private firstTree: FieldTree | undefined;
  private wantsFocus = false;

  constructor(private readonly parts: DetailsParts) {
    this.element = el('section', { class: 'details', 'aria-label': 'Selected request' }, this.body);
    parts.model.on('selection', () => void this.show(parts.model.selected));
    this.nothing();
  }

  /** The fields take the focus; those of a request that is still on its way, once they are there. */
  focus(): void {
    if (this.firstTree) this.firstTree.element.focus();
    else this.wantsFocus = this.parts.model.selected !== undefined;
  }

  private nothing(): void {
    this.shown = undefined;
    this.firstTree = undefined;
    this.body.replaceChildren(el('p', { class: 'empty unselected' }, 'Select a request to see its fields and bytes.'));
  }

  private async show(selected: Selected | undefined): Promise<void> {
    const number = ++this.number;
    this.wantsFocus = false;
    if (!selected) return this.nothing();
    if (this.shown?.row === selected.row && this.shown.side === selected.side) return;
    try {
      const request = await this.parts.request(selected);
      if (number !== this.number) return;
      this.shown = selected;
      this.fill(selected, request);
    } catch (error) {
      if (number !== this.number) return;
      const text = error instanceof Error ? error.message : String(error);
      this.body.replaceChildren(el('p', { class: 'empty' }, `This request cannot be shown: ${text}`));
    }
  }

  /** A reply has come for what is shown. */
  refresh(): void {
    const { shown } = this;
    this.shown = undefined;
    void this.show(shown);
  }

  private fill(selected: Selected, request: RequestView): void {
    const { rows } = this.parts.model.captures[selected.side];
    const failed = isFailed(rows.columns, selected.row);
    const path = el('span', { class: 'details-path', 'data-tip': request.path });
    showPath(path, request.path);
    const head = el(
      'header',
      { class: 'details-head' },
      el(
        'div',
        { class: 'details-title' },
        el('h2', {}, request.opcode),
        el('span', { class: 'details-number' }, `#${this.parts.model.first + selected.row}`),
        path,
      ),
      ...(request.doc === '' ? [] : [el('p', { class: 'doc' }, request.doc)]),
      el('p', { class: `line${failed ? ' failed' : ''}`, title: request.instant }, request.line),
      this.phaseBar(request.phases),
    );
    // The fields before these go, and would take the place of who works with keys with them.
    const takesFocus = this.wantsFocus || (document.hasFocus() && this.body.contains(document.activeElement));
    this.wantsFocus = false;
    this.firstTree = undefined;
    const messages = request.messages.map((message) => this.message(message));
    this.body.replaceChildren(head, ...messages, ...calls(request));
    this.body.scrollTop = 0;
    if (takesFocus) this.focus();
  }

  private phaseBar(times: PhaseTimes | undefined): HTMLElement | undefined {
    if (!times) return undefined;
    const whole = Math.max(1, times.queued + times.daemon + times.host + times.reply);
    const bar = el('div', { class: 'phase-bar', 'aria-hidden': 'true' });
    const list = el('dl', { class: 'phases' });
    for (const phase of phases) {
      const part = el('span', { class: `phase ${phase}` });
      part.style.flexGrow = String(times[phase] / whole);
      if (times[phase] > 0) bar.append(part);
      list.append(
        el(
          'div',
          {},
          el('dt', {}, el('span', { class: `swatch ${phase}` }), phaseTitles[phase]),
          el('dd', {}, phase === 'queued' ? printWait(times[phase]) : printDuration(times[phase])),
        ),
      );
    }
    return el('div', { class: 'phase-part' }, bar, list);
  }

  private message(message: MessageView): HTMLElement {
    const { title, nodes, bytes, problems } = message;
    const bytesView = new BytesView((at) => {
      const node = tree.chooseAt(at);
      if (!node) return;
      bytesView.mark(node.at, node.length);
      this.parts.say(`byte ${at}: ${node.name} ${node.text}`);
    });
    const tree = new FieldTree((node) => {
      bytesView.mark(node.at, node.length);
    }, `Fields of the ${title}`);
    tree.show(nodes);
    bytesView.show(bytes, title);
    this.firstTree ??= tree;
    const cut = bytes.length < message.length;
    const size = cut ? `${bytes.length} of ${message.length} bytes captured` : `${message.length} bytes`;
    return el(
      'section',
      { class: 'message', 'aria-label': title },
      el('h3', {}, el('span', {}, title), el('span', { class: 'size' }, size)),
      ...problems
        .filter((text) => !text.startsWith('the capture has '))
        .map((text) => el('p', { class: 'problem' }, text)),
      el('div', { class: 'linked' }, tree.element, bytesView.element),
    );
  }
}

function calls({ calls: list, callsMissing }: RequestView): HTMLElement[] {
  if (list.length === 0 && callsMissing <= 0) return [];
  const missing =
    callsMissing > 0
      ? [
          el(
            'p',
            { class: 'doc' },
            `${callsMissing} ${callsMissing === 1 ? 'call is' : 'calls are'} counted but not in the capture (share with --trace-syscalls to have them).`,
          ),
        ]
      : [];
  const rows = list.map(({ text, after, duration, failed, otherThread }) => {
    const line = el(
      'li',
      { class: failed ? 'failed' : '' },
      el('span', { class: 'after' }, `+${printDuration(Math.max(0, after))}`),
      el('code', {}, text),
      el('span', { class: 'took' }, printDuration(duration) + (otherThread ? ' · other thread' : '')),
    );
    return line;
  });
  const section = el(
    'section',
    { class: 'message', 'aria-label': 'Host system calls' },
    el('h3', {}, el('span', {}, 'host system calls'), el('span', { class: 'size' }, String(list.length))),
    el('ol', { class: 'calls' }, ...rows),
    ...missing,
  );
  set(section, { hidden: list.length === 0 && missing.length === 0 });
  return [section];
}
