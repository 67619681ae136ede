/**
 * The guest's view of the share at any moment of a capture, as facts: paths, inodes, open handles, the DAX window.
 *
 * What the capture's messages say is told once more to a `GuestView`, from the nearest state that was kept. Asked for
 * lazily: only who looks pays.
 */
import { openFlags } from '../protocol/fuse/flags';
import { printFlags, printHex, printId, printSize } from '../protocol/print';
import type { CaptureContent } from '../trace/captureContent';
import { GuestView, type OpenHandle } from './guestView';
import type { History } from './history';
import type { Fact } from './picture';
import { Snapshots } from './snapshots';
import type { Turns } from './turns';

/** Lines of a list. */
const MOST_LISTED = 200;

export class ReplayedModel {
  private view: GuestView;
  private moment = 0;
  /** One replay at a time. */
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly capture: CaptureContent,
    private readonly history: History,
    private readonly kept = new Snapshots<GuestView>(history.count),
  ) {
    this.view = GuestView.ofNothing(capture);
  }

  /**
   * Right after the row's request, or its reply, was read, `look` sees the view. Throws a Trouble when that is not
   * wanted any more.
   */
  at<Seen>(row: number, replied: boolean, turns: Turns, look: (model: this) => Seen): Promise<Seen> {
    const seen = this.last.then(async () => {
      turns.check();
      await this.goTo(this.history.momentOf(row, replied), turns);
      return look(this);
    });
    this.last = seen.then(
      () => undefined,
      () => undefined,
    );
    return seen;
  }

  private async goTo(target: number, turns: Turns): Promise<void> {
    const nearest = this.kept.before(target);
    if (target < this.moment || (nearest !== undefined && nearest.at > this.moment)) {
      this.view = nearest?.state.copy() ?? GuestView.ofNothing(this.capture);
      this.moment = nearest?.at ?? 0;
    }
    const from = this.moment;
    while (this.moment < target) {
      this.history.tellNext(this.moment, this.view);
      this.moment++;
      if (this.moment % this.kept.grain === 0) this.keep(target);
      if (turns.isOver) {
        await turns.give(this.moment - from, target - from);
        turns.check();
      }
    }
  }

  private keep(target: number): void {
    const { size } = this.view;
    if (this.kept.isWanted(this.moment, target, size)) this.kept.keep(this.moment, this.view.copy(), target, size);
  }

  // What it says

  inode(nodeid: bigint): Fact[] | undefined {
    const facts = this.view.nodes.facts(nodeid);
    if (facts === undefined) return undefined;
    const paths = facts.paths.map((path) => this.capture.path(path));
    return [
      { name: 'nodeid', value: printId(nodeid) },
      { name: 'path', value: paths[0] ?? '', doc: 'As the guest knew it at that moment.' },
      ...(paths.length > 1
        ? [
            {
              name: 'names',
              value: `${paths.length}`,
              inside: paths.map((path, i) => ({ name: `[${i}]`, value: path })),
            },
          ]
        : []),
      { name: 'lookups', value: String(facts.lookups), doc: 'As far as the capture has shown.' },
      ...(facts.parent === undefined ? [] : [{ name: 'parent', value: printId(facts.parent) }]),
      { name: 'handles', value: String([...this.view.handles.values()].filter((one) => one.nodeid === nodeid).length) },
    ];
  }

  handle(fh: bigint, nodeid: bigint): Fact[] | undefined {
    const found = this.view.handles.get(`${nodeid}/${fh}`);
    return found && this.handleFacts(found);
  }

  private handleFacts({ fh, nodeid, folder, flags, row }: OpenHandle): Fact[] {
    return [
      { name: 'fh', value: printId(fh) },
      { name: 'nodeid', value: printId(nodeid) },
      { name: 'path', value: this.pathOf(nodeid) },
      { name: 'kind', value: folder ? 'folder' : 'file' },
      { name: 'flags', value: printFlags(openFlags, flags), doc: 'It was opened with these.' },
      { name: 'opened by', value: `row ${row}` },
    ];
  }

  private pathOf(nodeid: bigint): string {
    const [path] = this.view.nodes.facts(nodeid)?.paths ?? [];
    return path === undefined ? `?${nodeid}` : this.capture.path(path);
  }

  /** All there is, for a scope. */
  facts(row: number): Fact[] {
    const others = [...this.view.inFlight].filter((each) => each !== row);
    const handles = [...this.view.handles.values()];
    const window = [...this.view.window].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      {
        name: 'inodes',
        value: String(this.view.nodes.known),
        doc: 'Known to the guest.',
      },
      {
        name: 'open handles',
        value: String(handles.length),
        inside: handles.slice(0, MOST_LISTED).map((one) => ({
          name: `${this.pathOf(one.nodeid)} fh ${printId(one.fh)}`,
          value: printFlags(openFlags, one.flags),
          inside: this.handleFacts(one),
        })),
      },
      {
        name: 'DAX window',
        value: `${window.length} mapped`,
        inside: window.slice(0, MOST_LISTED).map(([at, { nodeid, offset, length }]) => ({
          name: printHex(at),
          value: `${this.pathOf(nodeid)} at ${printHex(offset)}, ${printSize(length)}`,
        })),
      },
      {
        name: 'other requests in flight',
        value: String(others.length),
        inside: others.slice(0, MOST_LISTED).map((each) => ({ name: `row ${each}`, value: this.rowText(each) })),
      },
    ];
  }

  private rowText(row: number): string {
    const { capture } = this;
    const { opcode, nodeid, path } = capture.columns;
    const name = capture.request(row)?.opcode?.name ?? `opcode ${opcode[row]}`;
    return `${name} ${capture.path(path[row]) || `nodeid ${nodeid[row]}`}`;
  }
}
