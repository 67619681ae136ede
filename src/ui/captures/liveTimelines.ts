/** Timelines of the captures that are open in this window: one for each, opened when a request is to be shown in it. */
import * as vscode from 'vscode';
import { showInformation } from '../messages';
import { openLiveTimeline, revealRequest } from '../timeline/register';
import type { TimelineSession } from '../timeline/session';
import type { Captures } from './captures';
import type { OpenCapture } from './openCapture';
import { timelineSource } from './timelineSource';

export class LiveTimelines implements vscode.Disposable {
  /** By the capture's id. */
  private readonly sessions = new Map<string, Promise<TimelineSession>>();
  private readonly heard: vscode.Disposable;

  constructor(
    private readonly extension: vscode.ExtensionContext,
    private readonly captures: Captures,
  ) {
    this.heard = captures.listen((event) => {
      if (event.kind === 'closed') this.sessions.delete(event.capture.id);
    });
  }

  /** `place`: `{ capture: ID, row: NUMBER }`, as the view "Requests" gives it; without one the active capture. */
  async reveal(place: unknown): Promise<void> {
    const { capture: id, row } = (typeof place === 'object' && place !== null ? place : {}) as Record<string, unknown>;
    const capture = this.captures.all.find((one) => one.id === id) ?? this.captures.active;
    if (!capture) return offerOne();
    const at = typeof row === 'number' && Number.isInteger(row) && row >= 0 ? row : undefined;
    if (capture.kind === 'file') return revealRequest(vscode.Uri.file(capture.about), at ?? 0);
    const session = await this.sessionOf(capture);
    if (at !== undefined) session.reveal(0, at);
  }

  private sessionOf(capture: OpenCapture): Promise<TimelineSession> {
    const known = this.sessions.get(capture.id);
    if (known) return known;
    const source = timelineSource(capture);
    const session = openLiveTimeline(this.extension, {
      get capture() {
        return source.capture;
      },
      get dropped() {
        return source.dropped;
      },
      state: () => source.state(),
      onChange: (listener) => {
        const end = source.onChange(listener);
        // Row numbers mean others now: the page begins again.
        const again = capture.listen(({ kind }) => {
          if (kind === 'dropped' || kind === 'begun') void session.then((each) => each.take({ kind: 'ready' }));
        });
        return () => {
          end();
          again.dispose();
          this.sessions.delete(capture.id);
        };
      },
    });
    this.sessions.set(capture.id, session);
    return session;
  }

  dispose(): void {
    this.heard.dispose();
    this.sessions.clear();
  }
}

/** Of nothing there is no timeline. Not awaited: the message stays until it is read. */
function offerOne(): void {
  const [watch, open] = ['Watch Share…', 'Open Capture…'];
  const ways: Readonly<Record<string, string>> = { [watch]: 'virtiofs.requests.watch', [open]: 'virtiofs.openCapture' };
  void showInformation('No share is watched and no capture is open, so there is no timeline yet.', watch, open).then(
    (chosen) => chosen !== undefined && vscode.commands.executeCommand(ways[chosen]),
  );
}
