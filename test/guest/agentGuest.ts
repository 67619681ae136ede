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
import { bootGuest, type GuestName, output } from './bootGuest';

/** perl, the modules that the agent uses, and the agent. */
function agentFiles(): ExtraFile[] {
  const perl = onPath('perl') ?? '/usr/bin/perl';
  const list = spawnSync(perl, ['-Mstrict', '-Mwarnings', '-e', 'print join "\\n", values %INC'], { encoding: 'utf8' });
  const modules = list.stdout.split('\n').map((file) => hostFile(file, file));
  return [...programWithLibraries(perl, '/usr/bin/perl'), ...modules, hostFile(AGENT, '/agent.pl')];
}

export interface AgentGuest {
  readonly root: Posix;
  readonly folder: string;
  close(): Promise<void>;
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
  return { root: agent.process(), folder: guest.folder, close: () => guest.close() };
}
