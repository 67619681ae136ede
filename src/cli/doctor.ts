/** `virtiofs-studio doctor`: what this machine has for guests, and the fix for what it lacks. Shows `vm/checks.ts`. */
import { type Command } from 'commander';
import type { Finding, Verdict } from '../control/findings';
import { checkMachine } from '../vm/checks';
import { coloursWanted } from './traceOptions';

const marks: Record<Verdict, { readonly word: string; readonly colour: string }> = {
  ok: { word: 'ok', colour: '32' },
  warning: { word: 'note', colour: '33' },
  missing: { word: 'MISSING', colour: '31' },
};

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check what this machine has for running guests, and say the fix for what it lacks')
    .option('--json', 'print the findings as JSON', false)
    .addHelpText(
      'after',
      '\nExit codes: 0 all there (notes do not count), 3 something is missing, or the output cannot be written.',
    )
    .action(async (options: { json: boolean }) => {
      const findings = options.json
        ? await checkMachine(() => {})
        : await checkMachine(
            (finding) => console.log(line(finding)),
            (waiting) => console.error(waiting),
          );
      const missing = findings.filter((finding) => finding.verdict === 'missing');
      if (options.json) {
        console.log(JSON.stringify(findings, null, 2));
      } else {
        console.log(missing.length === 0 ? '\nReady.' : `\n${missing.length} missing.`);
      }
      process.exitCode = missing.length === 0 ? 0 : 3;
    });
}

function line({ subject, verdict, found, fix }: Finding): string {
  const { word, colour } = marks[verdict];
  const mark = coloursWanted() ? `\x1b[${colour}m${word.padEnd(7)}\x1b[0m` : word.padEnd(7);
  const first = `${mark}  ${subject.padEnd(16)} ${found}`;
  return fix === undefined ? first : `${first}\n${' '.repeat(26)} ${fix}`;
}
