/**
 * Joins the user's terminal to the guest's console, until the guest ends. Knows nothing of how a guest is started.
 */
import { PacedKeys } from './pacedKeys';
import { mountPoint } from '../vm/guestInit';
import type { Guest, GuestOptions } from '../vm/guest';
import { qemuTerminal } from '../vm/qemuArguments';
import { UML_TERMINAL } from '../vm/umlArguments';

/** Ctrl-], as in telnet and virsh. */
const ESCAPE = 0x1d;
const NEWLINE = 0x0a;

export function terminalShape(): NonNullable<GuestOptions['shell']> {
  const term = process.env['TERM'] ?? 'linux';
  return { term, rows: process.stdout.rows, columns: process.stdout.columns };
}

export async function converse(
  guest: Guest,
  { kind, shares, tools }: Pick<GuestOptions, 'kind' | 'shares' | 'tools'>,
): Promise<void> {
  const [input, output] = [process.stdin, process.stdout];
  const places = shares.map((share) => mountPoint(share.tag)).join(', ');
  output.write(`Linux ${guest.release}; shared: ${places}. "exit" leaves, Ctrl-] ends the guest at once.\n`);
  const paced = kind === 'uml' ? new PacedKeys(guest.console) : undefined;
  const type = (keys: Buffer): void => {
    if (keys.includes(ESCAPE)) {
      void guest.workplace.close(0);
    } else {
      if (paced === undefined) guest.console.write(keys);
      else paced.type(keys);
    }
  };
  const device = kind === 'uml' ? UML_TERMINAL : qemuTerminal(tools.machine);
  const resize = (): void => {
    const resized = `stty -F ${device} rows ${output.rows} cols ${output.columns}`;
    guest.run(resized, { folder: '/' }).catch(() => {}); // It has just ended.
  };
  let last: number | undefined;
  guest.console.on('data', (chunk: Buffer) => {
    last = chunk.at(-1);
    paced?.heard();
  });
  guest.console.pipe(output, { end: false });
  input.setRawMode(true);
  input.on('data', type);
  output.on('resize', resize);
  input.resume();
  // The shell has waited for this line.
  guest.console.write('\r');
  try {
    await guest.ended;
  } finally {
    paced?.end();
    output.off('resize', resize);
    input.off('data', type);
    input.setRawMode(false);
    input.pause();
    guest.console.unpipe(output);
    if (last !== NEWLINE) output.write('\n');
  }
}
