/**
 * `virtiofs-studio`: the command line. Owns the list of commands, the exit codes and how an error is shown.
 *
 * What a command does is its own file's business. Exit codes: 0 well; 2 asked for something wrong; 3 the machine lacks
 * something, or the output cannot be written; 4 a failure; `share --command` ends with the status of the command in the
 * guest.
 */
import { Command, CommanderError, Help, type Option } from 'commander';
import { Trouble, trouble } from '../base/catalogue';
import { isReaderGone, outputTrouble } from '../base/outputFault';
import { systemReason } from '../base/systemReason';
import { VERSION } from '../base/version';
import { askedWords } from './askedWords';
import { registerCompare } from './compare';
import { registerDaemon } from './daemon';
import { registerDax } from './dax';
import { registerDemo } from './demo';
import { registerDoctor } from './doctor';
import { registerExport } from './export';
import { OutputClosed } from './output';
import { registerShare } from './share';
import { registerTrace } from './trace';
import { registerWireshark } from './wireshark';

function program(): Command {
  const command = new Command('virtiofs-studio')
    .description('Share a folder with a virtual machine over virtio-fs, through a daemon of its own.')
    .version(VERSION, '-V, --version')
    .enablePositionalOptions()
    .configureHelp({ optionDescription })
    .exitOverride();
  registerShare(command);
  registerTrace(command);
  registerExport(command);
  registerCompare(command);
  registerDax(command);
  registerDoctor(command);
  registerDaemon(command);
  registerDemo(command);
  registerWireshark(command);
  sayWhereHelpIs(command, 'virtiofs-studio');
  return command;
}

/** That a switch is off, or a list empty, where it is not given goes without saying. */
function optionDescription(option: Option): string {
  const { defaultValue } = option;
  const said = defaultValue === false || (Array.isArray(defaultValue) && defaultValue.length === 0);
  return said ? option.description : new Help().optionDescription(option);
}

/** After a complaint: the help of the command that it is about. */
function sayWhereHelpIs(command: Command, words: string): void {
  command.showHelpAfterError(`("${words} --help" shows what there is.)`);
  for (const each of command.commands) sayWhereHelpIs(each, `${words} ${each.name()}`);
}

/** Exit code for what a command threw; prints it. */
function report(error: unknown): number {
  // Commander has printed help, version or its complaint already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  // Whoever read our output has what they wanted.
  if (error instanceof OutputClosed) return 0;
  if (error instanceof Trouble) {
    console.error(error.toString());
    return error.exitCode;
  }
  if (error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd') {
    return report(trouble('currentFolderGone', systemReason(error) ?? error.message));
  }
  const fault = trouble('unexpected', error instanceof Error ? error.message : String(error));
  console.error(error instanceof Error ? error.stack : error);
  console.error(fault.toString());
  return fault.exitCode;
}

/**
 * A command that has something to clean up, or much to say, hears of its output itself. Any other goes on to its end,
 * which is near, without output, and its exit code is that of the error. Standard error that cannot be written changes
 * nothing.
 */
let unwritten: Trouble | undefined;
process.stderr.on('error', () => {});
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (isReaderGone(error, process.stdout) || process.stdout.listenerCount('error') > 1 || unwritten) return;
  unwritten = outputTrouble(error);
  console.error(unwritten.toString());
});
process.once('exit', () => (process.exitCode = unwritten?.exitCode ?? process.exitCode));

const command = program();
// `from` said outright: inside of Electron commander would look for words elsewhere.
command.parseAsync(askedWords(command, process.argv.slice(2)), { from: 'user' }).catch((error: unknown) => {
  process.exitCode = report(error);
});
