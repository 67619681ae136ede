/**
 * The order in which requests, replies and all else that changes the guest's view of the share came, written down while
 * a capture is read: moments, numbered from 1, each of which can be told once more.
 *
 * Owns the order only; what was said is in the capture. About ten bytes a message, sixteen for what is no message.
 */
import { roomFor } from '../trace/columnArray';
import type { Journal } from '../trace/journal';

/** What is told, once more, in order. */
export interface Listener {
  taken(row: number, slot: number): void;
  answered(row: number, slot: number): void;
  section(): void;
  lost(): void;
  names(place: number, captured: number): void;
}

/** In the place of names: a section has begun, packets were lost. */
const SECTION = -1;
const LOST = -2;

export class History implements Journal {
  /** Moment 0 is before anything. */
  count = 0;
  /** By moment: twice the row, and 1 for its reply. */
  private events = new Uint32Array(1024);
  /** By row: the moments at which it was taken and answered (0: never), and its slot and 1. */
  private takenAt = new Uint32Array(512);
  private answeredAt = new Uint32Array(512);
  private slots = new Uint32Array(512);
  /** What has no row of its own: the moment that it came right after, the place of its packet, and its length. */
  private asides = 0;
  private asideAfter = new Uint32Array(16);
  private asidePlace = new Float64Array(16);
  private asideLength = new Uint32Array(16);

  taken(row: number, slot: number): void {
    this.takenAt = roomFor(this.takenAt, row + 1);
    this.answeredAt = roomFor(this.answeredAt, row + 1);
    this.slots = roomFor(this.slots, row + 1);
    this.takenAt[row] = this.add(2 * row);
    this.slots[row] = slot + 1;
  }

  answered(row: number): void {
    this.answeredAt[row] = this.add(2 * row + 1);
  }

  private add(event: number): number {
    const moment = ++this.count;
    this.events = roomFor(this.events, moment + 1);
    this.events[moment] = event;
    return moment;
  }

  section(): void {
    this.addAside(SECTION, 0);
  }

  lost(): void {
    this.addAside(LOST, 0);
  }

  names(place: number, captured: number): void {
    this.addAside(place, captured);
  }

  private addAside(place: number, length: number): void {
    const index = this.asides++;
    this.asideAfter = roomFor(this.asideAfter, this.asides);
    this.asidePlace = roomFor(this.asidePlace, this.asides);
    this.asideLength = roomFor(this.asideLength, this.asides);
    this.asideAfter[index] = this.count;
    this.asidePlace[index] = place;
    this.asideLength[index] = length;
  }

  /** Right after the row's request was taken, or its reply given. */
  momentOf(row: number, replied: boolean): number {
    // A reply without a request is one moment.
    return (replied ? this.answeredAt[row] : 0) || this.takenAt[row];
  }

  /** Tells what happened after `before`, up to and with the moment after it. */
  tellNext(before: number, listener: Listener): void {
    for (let i = this.firstAside(before); i < this.asides && this.asideAfter[i] === before; i++) {
      const place = this.asidePlace[i];
      if (place === SECTION) listener.section();
      else if (place === LOST) listener.lost();
      else listener.names(place, this.asideLength[i]);
    }
    const event = this.events[before + 1];
    const row = event >>> 1;
    const slot = this.slots[row] - 1;
    if ((event & 1) === 0) listener.taken(row, slot);
    else listener.answered(row, slot);
  }

  private firstAside(after: number): number {
    let low = 0;
    let high = this.asides;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.asideAfter[middle] < after) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
