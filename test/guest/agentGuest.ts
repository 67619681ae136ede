/** A guest in which a process makes the system calls that a test asks for (`agent.pl`, run by this machine's perl). */
import { spawnSync } from 'node:child_process';
import * as readline from 'node:readline';
import type { ExtraFile } from '../../src/vm/initramfs';
import type { GuestShare } from '../../src/vm/guest';
import { onPath } from '../../src/vm/onPath';
import { AGENT } from '../conformance/places';
import type { Posix } from '../conformance/posix';
import { Agent } from '../conformance/syscallPosix';
import { hostFile, programWithLibraries } from '../support/hostPrograms';
import { bootGuest, type GuestName, output, type TestGuest } from './bootGuest';

/** perl, the modules that the agent uses, and the agent. */
export function agentFiles(): ExtraFile[] {
  const perl = onPath('perl') ?? '/usr/bin/perl';
  const list = spawnSync(perl, ['-Mstrict', '-Mwarnings', '-e', 'print join "\\n", values %INC'], { encoding: 'utf8' });
  const modules = list.stdout.split('\n').map((file) => hostFile(file, file));
  return [...programWithLibraries(perl, '/usr/bin/perl'), ...modules, hostFile(AGENT, '/agent.pl')];
}

export interface AgentGuest {
  readonly root: Posix;
  readonly folder: string;
  /** Whether the daemon and QEMU are there, and what the guest's programs and its kernel wait for. */
  explain(): Promise<string>;
  close(): Promise<void>;
}

/** What the agent said, its programs with what each waits for in the kernel, and the kernel's last words. */
const STATE_OF_ALL = `cat /tmp/agent.log
for at in /proc/[0-9]*; do
  grep -q . $at/cmdline && echo "$at $(cat $at/comm) $(cat $at/wchan) $(cat $at/syscall)"
done
dmesg | tail -n 20`;

async function explain(guest: TestGuest): Promise<string> {
  const ends = [guest, ...guest.backEnds].map(({ process: { pid, exitCode, signalCode } }) =>
    [`process ${pid}:`, exitCode ?? signalCode ?? 'runs'].join(' '),
  );
  const inside = guest.run(STATE_OF_ALL, { folder: '/', timeoutMs: 20_000 }).then(
    ({ output: text }) => text.toString(),
    (error: unknown) => `the guest does not answer: ${String(error)}`,
  );
  return [...ends, await inside].join('\n');
}

/** A guest with the agent at work in its share; `folder`: an existing folder to share instead of a fresh one. */
export async function startAgentGuest(
  name: GuestName,
  daemonOptions: readonly string[],
  dax: GuestShare['dax'],
  folder?: string,
): Promise<AgentGuest> {
  const guest = await bootGuest(name, {
    ...(folder === undefined
      ? { daemonOptions, dax }
      : { shares: [{ directory: folder, tag: 'test', daemonOptions, ...(dax && { dax }) }] }),
    extraChannel: true,
    extraFiles: agentFiles(),
  });
  const { extra } = guest;
  if (!extra) throw new Error('no extra channel');
  await output(
    guest,
    `set -- ${extra.device}; [ ! -t 0 ] <"$1" || stty raw -echo <"$1"
     (cd /mnt/test; LC_ALL=C perl /agent.pl "$1" </dev/null >/tmp/agent.log 2>&1 &)`,
  );
  const { stream } = extra;
  const agent = new Agent({
    send: (line) => void stream.write(`${line}\n`),
    onLine: (listener) => void readline.createInterface({ input: stream }).on('line', listener),
    onEnd: (listener) => void stream.on('close', listener),
  });
  return {
    root: agent.process(),
    folder: guest.folder,
    explain: () => explain(guest),
    close: () => guest.close(),
  };
}
