/** Starts and orders `trafficMain.ts`: requests for tests inside of the extension host, whose thread stays free. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Done, makeFolder, type Order } from './trafficMain';

export class Traffic {
  pid = 0;

  private constructor(
    readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  /** `options` of the daemon; without them its fast ones. */
  static async begin(
    tag = 'work',
    options: readonly string[] = [],
    environment: NodeJS.ProcessEnv = process.env,
  ): Promise<Traffic> {
    const folder = mkdtempSync(join(tmpdir(), 'virtiofs-traffic-'));
    makeFolder(folder);
    const child = fork(join(__dirname, 'trafficMain.js'), [], {
      env: { ...environment, ELECTRON_RUN_AS_NODE: '1' },
      execArgv: [],
    });
    const traffic = new Traffic(folder, child);
    traffic.pid = (await traffic.order({ kind: 'begin', folder, tag, options })).pid ?? 0;
    return traffic;
  }

  order(order: Order): Promise<Done> {
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error('the process of the traffic has ended'));
      this.child.once('exit', gone);
      this.child.once('message', (done: Done) => {
        this.child.off('exit', gone);
        if (done.error === undefined) resolve(done);
        else reject(new Error(done.error));
      });
      this.child.send(order);
    });
  }

  /** The daemon, the process and the folder are gone. */
  async end(): Promise<void> {
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.exitCode === null) {
      await this.order({ kind: 'end' }).catch(() => undefined);
      this.child.disconnect();
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
