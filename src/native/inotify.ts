/**
 * inotify(7): who changes a file. One descriptor, read without waiting. Stores through mmap(2) are told by nobody.
 */
import { INT, LONG, checked, declare, failure } from './libc';
import { pinnedArena } from './memory';

const inotifyInit = declare('inotify_init1', INT, [INT]);
const addWatch = declare('inotify_add_watch', INT, [INT, LONG, INT]);
const removeWatch = declare('inotify_rm_watch', INT, [INT, INT]);
const readCall = declare('read', INT, [INT, LONG, LONG]);
const closeCall = declare('close', INT, [INT]);

const IN_FLAGS = 0o2004000; // IN_CLOEXEC | IN_NONBLOCK
const IN_MODIFY = 0x2;
const IN_Q_OVERFLOW = 0x4000;
/** struct inotify_event before its name, which files themselves do not have. */
const EVENT = 16;
const ROOM = 16 * 1024;

export class Inotify {
  readonly fd = checked('inotify_init1', inotifyInit(IN_FLAGS));
  private readonly area = pinnedArena(ROOM);

  /** Watches the file that `path` (a host address) leads to; a number, or a negative errno. */
  watch(path: number): number {
    const got = addWatch(this.fd, path, IN_MODIFY);
    return got < 0 ? failure() : got;
  }

  end(watch: number): void {
    removeWatch(this.fd, watch);
  }

  /** Files that were modified since the last look; -1 when some of that was lost. */
  changes(): Set<number> {
    const found = new Set<number>();
    for (;;) {
      const length = readCall(this.fd, this.area.address(0), ROOM);
      if (length < EVENT) return found;
      for (let at = 0; at + EVENT <= length; at += EVENT + this.area.getU32(at + 12)) {
        const mask = this.area.getU32(at + 4);
        if (mask & IN_MODIFY) found.add(this.area.getI32(at));
        else if (mask & IN_Q_OVERFLOW) found.add(-1);
      }
    }
  }

  close(): void {
    closeCall(this.fd);
  }
}
