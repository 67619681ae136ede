/**
 * `virtiofs-studio wireshark`: puts the dissector where Wireshark and tshark find it, takes it away again, or prints
 * it.
 *
 * Owns where that is and that nobody's file is overwritten; nothing else on the machine is changed. What the dissector
 * does is `trace/dissector`'s business.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Command } from 'commander';
import { trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { VERSION } from '../base/version';
import { DISSECTOR_FILE, DISSECTOR_MARK, dissectorLua } from '../trace/dissector/dissector';
import { homeFolder, makeFolder } from '../vm/cacheFolder';

interface Place {
  readonly dir?: string;
}

export function registerWireshark(program: Command): void {
  const command = program
    .command('wireshark')
    .description('let Wireshark and tshark (3.6 or later) read captures: install the dissector, or print it')
    .addHelpText(
      'after',
      '\nThen open a capture with Wireshark, or: tshark -r FILE -Y \'fuse.opcode == "READ"\'\nThe fields are in docs/wireshark.md.',
    );
  const withDir = (sub: Command): Command =>
    sub.option('--dir <folder>', "the folder of Lua plugins; else Wireshark's own for this user");
  withDir(command.command('install'))
    .description('write the dissector into the folder of Lua plugins')
    .action((options: Place) => {
      const file = place(options);
      install(file);
      console.log(`Installed ${file}`);
      console.log(
        'Wireshark and tshark take it at their next start. "virtiofs-studio wireshark uninstall" removes it.',
      );
      if (process.getuid?.() === 0)
        console.log('Note: Wireshark 4.4 and later load no plugins of the user when started as root.');
    });
  withDir(command.command('uninstall'))
    .description('remove it again')
    .action((options: Place) => {
      const file = place(options);
      console.log(uninstall(file) ? `Removed ${file}` : `Nothing to remove: there is no ${file}`);
    });
  command
    .command('print')
    .description('write the dissector to standard output')
    .action(() => {
      process.stdout.write(dissectorLua(VERSION));
    });
}

function place({ dir }: Place): string {
  return join(dir === undefined ? personalFolder() : resolve(dir), DISSECTOR_FILE);
}

/** What tshark itself says, where it is installed; else the folder that Wireshark has by its documentation. */
function personalFolder(): string {
  const { status, stdout } = spawnSync('tshark', ['-G', 'folders'], { encoding: 'utf8', timeout: 20_000 });
  const told = status === 0 ? /^Personal Lua Plugins:\s*(\S.*)$/m.exec(stdout)?.[1] : undefined;
  if (told !== undefined) return told.trim();
  const { APPDATA } = process.env;
  if (process.platform === 'win32' && APPDATA) return join(APPDATA, 'Wireshark', 'plugins');
  const home = homeFolder();
  if (home === undefined) throw trouble('dissectorUnusable', DISSECTOR_FILE, 'this user has no home folder');
  return join(home, '.local', 'lib', 'wireshark', 'plugins');
}

/** Whether a file of ours is there; somebody else's of that name is an error. */
function isThere(file: string): boolean {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw trouble('dissectorUnusable', file, systemReason(error) ?? String(error));
  }
  if (!text.startsWith(`${DISSECTOR_MARK}\n`)) throw trouble('dissectorForeign', file);
  return true;
}

function install(file: string): void {
  isThere(file);
  const fresh = `${file}.${process.pid}.new`;
  try {
    makeFolder(dirname(file));
    writeFileSync(fresh, dissectorLua(VERSION), { flag: 'wx' });
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw trouble('dissectorUnusable', file, systemReason(error) ?? String(error));
  }
}

function uninstall(file: string): boolean {
  if (!isThere(file)) return false;
  try {
    rmSync(file);
  } catch (error) {
    throw trouble('dissectorUnusable', file, systemReason(error) ?? String(error));
  }
  return true;
}
