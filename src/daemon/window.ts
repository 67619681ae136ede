/**
 * The DAX window of a share in this process: joins the back-end channel (`vhostUser/windowChannel.ts`), the file system
 * that fills the window, inotify, and time. Runs on the queue worker.
 */
import type { Arena } from '../base/arena';
import type { DaxHost } from '../fs/dax/mappedFiles';
import { DAX_AREAS_SIZE, daxAreas } from '../fs/dax/areas';
import { DaxNote, type NoteFacts } from '../fs/dax/frontEnd';
import { DEFAULT_DAX_POLICY } from '../base/daxSize';
import { PAGES_ONLY, parsePolicy } from '../fs/dax/policy';
import { EPOLLIN, type Epoll, close, fileIdentity, receive, send, setNonBlocking } from '../native/descriptors';
import { Inotify } from '../native/inotify';
import { Errno } from '../protocol/errno';
import { HEADER_SIZE, MAX_PAYLOAD } from '../vhostUser/framing';
import { WindowChannel } from '../vhostUser/windowChannel';
import { EpollAlarm } from './alarm';

/** Bytes of arena that a window needs. */
export const WINDOW_AREA = DAX_AREAS_SIZE + HEADER_SIZE + MAX_PAYLOAD + 4;

/** Lines in the log: a guest can have something go wrong with every request. */
const MOST_SAID = 256;

/** Files mapped last, by which the regions that the front-end tells of are known again. */
const MOST_IDENTITIES = 64;

export interface WindowParts {
  readonly size: number;
  readonly policy: string | undefined;
  readonly arena: Arena;
  readonly areaAt: number;
  readonly epoll: Epoll;
  readonly channelKey: number;
  readonly changesKey: number;
  readonly warn: (text: string) => void;
  /** The host has shortened a mapped file: what the front-end dies of when the guest touches what is gone. */
  readonly shortened: (text: string) => void;
  readonly noted: (note: NoteFacts) => void;
  /** Told of each whole message on the back-end channel, with how many descriptors came or went along. */
  readonly seen: (fromFrontEnd: boolean, bytes: Uint8Array, descriptors: number) => void;
}

export class ShareWindow {
  readonly channel: WindowChannel;
  readonly host: DaxHost;
  readonly alarms: readonly EpollAlarm[];
  private readonly inotify = new Inotify();
  private readonly identities = new Set<string>();
  private readonly messageAt: number;
  private readonly said = new Set<string>();
  private open = -1;
  private refused = 0;

  constructor(private readonly parts: WindowParts) {
    const { arena, areaAt, epoll, channelKey, warn } = parts;
    this.messageAt = areaAt + DAX_AREAS_SIZE;
    const patience = new EpollAlarm();
    const copies = new EpollAlarm();
    this.alarms = [patience, copies];
    this.channel = new WindowChannel(parts.size, {
      send: (channel, bytes, fd) => this.send(channel, bytes, fd),
      watch: (channel) => {
        this.open = channel;
        setNonBlocking(channel);
        epoll.add(channel, EPOLLIN, channelKey);
      },
      unwatch: (channel) => {
        this.open = -1;
        epoll.remove(channel);
      },
      wake: (after) => patience.wake(after, () => this.channel.tick()),
      now: () => performance.now(),
      warn,
    });
    epoll.add(this.inotify.fd, EPOLLIN, parts.changesKey);
    this.host = {
      frontEnd: this.channel,
      changes: this.inotify,
      policy: parsePolicy(parts.policy ?? DEFAULT_DAX_POLICY) ?? PAGES_ONLY,
      areas: daxAreas(areaAt),
      alarm: copies,
      noted: (note) => this.note(note),
      now: () => performance.now(),
    };
    arena.zero(areaAt, DAX_AREAS_SIZE);
  }

  /** Whether a region that the front-end tells of is one of the files in the window. */
  isOurs(fd: number): boolean {
    return this.identities.has(fileIdentity(fd));
  }

  /** Something has come on the back-end channel. */
  readable(): void {
    const { arena, seen } = this.parts;
    while (this.open >= 0) {
      const wanted = Math.min(this.channel.wanted, HEADER_SIZE + MAX_PAYLOAD);
      const got = receive(this.open, arena.address(this.messageAt), wanted, false);
      if (got.length === -Errno.EAGAIN || got.length === -Errno.EINTR) return;
      // No answer brings a descriptor.
      for (const fd of got.descriptors) close(fd);
      const bytes = got.length > 0 ? arena.bytes(this.messageAt, got.length).slice() : new Uint8Array(0);
      this.answer = join(this.answer, bytes);
      if (this.answer.length >= HEADER_SIZE + 8) {
        seen(true, this.answer, 0);
        this.answer = new Uint8Array(0);
      }
      if (!this.channel.take(bytes, [])) {
        this.answer = new Uint8Array(0);
        return;
      }
    }
  }
  /** Of the message that is being read. */
  private answer: Uint8Array = new Uint8Array(0);

  /** Files that were changed, as `MappedFiles.changed` takes them. */
  changes(): Set<number> {
    return this.inotify.changes();
  }

  close(): void {
    this.inotify.close();
  }

  /** How often a file was found to go without the window, for the log: each of one file for a reason of its own. */
  get refusals(): number {
    return this.refused;
  }

  private send(channel: number, bytes: Uint8Array, fd: number): boolean {
    const { arena, seen } = this.parts;
    if (fd >= 0) this.remember(fileIdentity(fd));
    arena.u8.set(bytes, this.messageAt);
    seen(false, bytes, fd >= 0 ? 1 : 0);
    return send(channel, arena.address(this.messageAt), bytes.length, fd >= 0 ? [fd] : []) === bytes.length;
  }

  private remember(identity: string): void {
    this.identities.delete(identity);
    this.identities.add(identity);
    if (this.identities.size <= MOST_IDENTITIES) return;
    for (const oldest of this.identities) {
      this.identities.delete(oldest);
      return;
    }
  }

  private note(note: NoteFacts): void {
    this.parts.noted(note);
    if (note.what === DaxNote.Refused) this.refused++;
    else this.say(`${note.path || 'a file'}: ${note.text}`, note.what === DaxNote.Shortened);
  }

  /** The same once only. */
  private say(text: string, isDeadly: boolean): void {
    const { said } = this;
    if (said.has(text) || said.size > MOST_SAID) return;
    said.add(text);
    if (said.size > MOST_SAID) this.parts.warn('DAX window: nothing more is said of single files');
    else if (isDeadly) this.parts.shortened(text);
    else this.parts.warn(`DAX window: ${text}`);
  }
}

function join(one: Uint8Array, other: Uint8Array): Uint8Array {
  const all = new Uint8Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}
