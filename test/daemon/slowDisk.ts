/**
 * A disk as slow as a test wants: strace holds each system call of the daemon that may wait for one, whichever thread
 * makes it, and says of every read that its data are not in the page cache.
 */
import { spawnSync } from 'node:child_process';
import { need } from '../support/need';

const held = ['fsync', 'fdatasync', 'syncfs', 'fallocate', 'copy_file_range', 'preadv', 'pwritev2'].join(',');
const strace = ['strace', '-f', '--seccomp-bpf', '-o', '/dev/null'];

/** Goes on when strace works here; else ends the test or hook as `need` does. */
export function needSlowDisk(context: Mocha.Context): void {
  const works = spawnSync(strace[0], [...strace.slice(1), 'true']).status === 0;
  need(context, 'strace', works, 'strace is not here or may not trace');
}

/** The command in front of the daemon's. */
export function slowDisk(milliseconds: number): string[] {
  const inject = `inject=${held}:delay_enter=${milliseconds * 1000}`;
  return [...strace, '-e', `trace=preadv2,${held}`, '-e', 'inject=preadv2:error=EAGAIN', '-e', inject];
}
