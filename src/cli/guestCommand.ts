/**
 * A command in the guest that reads and writes what this process reads and writes, as with ssh. Only as fast as whoever
 * is at the other end of each: nothing piles up here.
 */
import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Trouble, trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import type { Guest } from '../vm/guest';

const A_MOMENT_MS = 500;

/** Its status. Throws a Trouble where the guest ends first, or standard input cannot be read. */
export async function runCommand(guest: Guest, command: string): Promise<number> {
  const { stdin, stdout, stderr } = process;
  // What the daemons complain of while the command runs. No pipe: it would end where standard error cannot be written,
  // and a daemon that is not heard would wait.
  guest.backEnds.forEach((daemon) => daemon.process.stderr?.on('data', (chunk) => stderr.write(chunk)));
  try {
    const { status } = await guest.run(command, {
      onOutput: (chunk) => print(stdout, chunk),
      // Into one terminal, file or pipe they go as the command wrote them.
      ...(sameFile(stdout.fd, stderr.fd) ? {} : { onErrors: (chunk) => print(stderr, chunk) }),
      ...(stdin.isTTY ? {} : { input: stdin }),
    });
    return status;
  } catch (error) {
    if (error instanceof Trouble) throw error.code === 'guestEnded' ? await endOf(guest, command) : error;
    if (stdin.errored) throw trouble('inputUnreadable', systemReason(stdin.errored) ?? stdin.errored.message);
    throw await endOf(guest, command);
  }
}

/** Why the guest ended before its command. Its lines close a moment before its program has ended. */
async function endOf(guest: Guest, command: string): Promise<Trouble> {
  await Promise.race([guest.ended, sleep(A_MOMENT_MS, undefined, { ref: false })]);
  return crashOf(guest) ?? trouble('guestGone', command);
}

/** What kills a program by its own fault. We ourselves end a guest by SIGKILL. */
const CRASHES: readonly (string | null)[] = ['SIGBUS', 'SIGSEGV', 'SIGABRT', 'SIGILL', 'SIGFPE', 'SIGTRAP'];

export function crashOf({ process: { signalCode } }: Guest): Trouble | undefined {
  return signalCode !== null && CRASHES.includes(signalCode) ? trouble('guestCrashed', signalCode) : undefined;
}

function sameFile(one: number, other: number): boolean {
  const [first, second] = [fstatSync(one), fstatSync(other)];
  return first.dev === second.dev && first.ino === second.ino;
}

/** Until there is room again, where whoever reads is slower than the guest. One that has gone ends the command. */
async function print(stream: NodeJS.WriteStream, chunk: Buffer): Promise<void> {
  if (!stream.write(chunk)) await once(stream, 'drain');
}
