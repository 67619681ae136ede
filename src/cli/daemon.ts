/**
 * `virtiofs-studio daemon`: the daemon under this name. It reads its own arguments (virtiofsd's spelling, see
 * `daemon/options.ts`), so nothing of them is looked at here.
 * The daemon is a bundle of its own beside this one and runs in this process.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Command } from 'commander';

export function registerDaemon(program: Command): void {
  program
    .command('daemon')
    .description("serve a folder to a virtual machine that is started by others (takes virtiofsd's options)")
    .argument('[options...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action((options: string[]) => {
      process.argv.splice(2, Infinity, ...options);
      createRequire(__filename)(join(__dirname, 'daemon.js'));
    });
}
