/**
 * What the file system asks of whoever owns the DAX window's memory, and of the host's changes. Interfaces only: a
 * front-end over vhost-user is behind the first, inotify behind the second.
 */

export interface WindowFrontEnd {
  /** Bytes of the window. */
  readonly size: number;
  /** Whether mappings can be asked for. */
  readonly ready: boolean;
  /**
   * Maps part of a file, for reading and writing. `done` is called later or at once, with 0 or a negative errno; after
   * an error there is no such mapping. Requests are carried out in order.
   */
  map(fd: number, fileOffset: number, windowOffset: number, length: number, done: (result: number) => void): void;
  /** Takes out exactly what one `map` has put in. */
  unmap(windowOffset: number, length: number, done: (result: number) => void): void;
}

/** Tells of changes of files that are mapped, whoever made them. */
export interface FileChanges {
  /** Watches a file through a path that leads to it; a number for `end`, or a negative errno. */
  watch(path: number): number;
  end(watch: number): void;
}

/** What a person may want to know of a file and the window. */
export const enum DaxNote {
  /** It is mapped, and was before the capture began. */
  Mapped = 0,
  /** It is served without the window, and why. */
  Refused = 1,
  /** The host has changed it while it is mapped. */
  Changed = 2,
  /** The host has shortened it below what is mapped. */
  Shortened = 3,
  /** A mapping could not be made, or its copy not be written back. */
  Failed = 4,
}

export interface NoteFacts {
  readonly what: DaxNote;
  readonly nodeid: readonly [low: number, high: number];
  readonly fileOffset: number;
  readonly length: number;
  readonly windowOffset: number;
  /** Path below the share, then what there is to say; for `Mapped` the path alone. */
  readonly path: string;
  readonly text: string;
}
