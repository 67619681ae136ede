/**
 * `virtiofs-studio daemon`: the daemon under this name. It reads its own arguments (virtiofsd's spelling, see
 * `daemon/options.ts`), so nothing of them is looked at here.
 */
import { type Command } from 'commander';

export function registerDaemon(program: Command): void {
  program
    .command('daemon')
    .description("serve a folder to a virtual machine that is started by others (takes virtiofsd's options)")
    .argument('[options...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (options: string[]) => {
      process.argv.splice(2, Infinity, ...options);
      await import(/* webpackMode: "eager" */ '../daemon/main.js');
    });
}
