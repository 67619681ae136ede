/**
 * `npm run workbench [-- DIR]`: VS Code with the extension in a browser of this machine, with DIR or a sample folder
 * open. Prints the address; ends with everything at Ctrl-C.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeSampleTree } from '../../../src/cli/sampleTree';
import { getVscode } from './install';
import { startServer } from './server';

const project = resolve(__dirname, '../../../..');

async function main(): Promise<void> {
  const given = process.argv[2];
  const scratch = await mkdtemp(join(tmpdir(), 'virtiofs-workbench-'));
  try {
    const workspace = given === undefined ? join(scratch, 'project') : resolve(given);
    if (given === undefined) makeSampleTree(workspace);
    const told = new Promise<void>((end) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => end());
    });
    const server = await startServer({
      server: await getVscode(),
      workspace,
      extensions: [project],
      installed: true,
      settings: { 'window.autoDetectColorScheme': true },
      alone: false,
    });
    try {
      console.log(`\nVS Code with Virtio-FS Studio, folder ${workspace}:\n\n  ${server.url}\n\nCtrl-C ends it.`);
      await Promise.race([told, server.ended]);
    } finally {
      await server.close();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
