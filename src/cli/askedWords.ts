/** What is asked on the command line, where commander reads it otherwise than people mean it. */
import type { Command } from 'commander';

const HELP: readonly string[] = ['-h', '--help'];

/** `help --help` is `help`: commander takes the option for the name of a command that is not there. */
export function askedWords(program: Command, words: readonly string[]): readonly string[] {
  let command = program;
  for (const [at, word] of words.entries()) {
    const inner = command.commands.find((each) => each.name() === word);
    if (inner) command = inner;
    else if (word === 'help' && command.commands.length > 0 && HELP.includes(words[at + 1]))
      return words.slice(0, at + 1);
    else break;
  }
  return words;
}
