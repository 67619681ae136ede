/**
 * A daemon as it would be if there were no debugger: the same bundles, with the queue worker's looks at the gate cut
 * out. What they cost is the difference between the two.
 *
 * Throws where the bundle does not read as expected, so that the two can never be the same by mistake.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';

const bundles = path.resolve(__dirname, '../../../dist');
/** Beside the bundles, which find koffi from there. */
const PREFIX = path.join(bundles, '../out/without-gate-');
const QUEUE_WORKER = 'queueWorker.js';

/** Each, as it is bundled, and what stays of it. */
const LOOKS: readonly (readonly [RegExp, string])[] = [
  [/gate\.armed\s*\?\s*this\.handleGated\(running, exchange\)\s*:/, ''],
  [/if \(this\.parts\.gate\.frozen\)\s*return FROZEN;/, ''],
  [/if \(this\.taken !== undefined\)\s*return this\.taken\.length;/, ''],
  [/if \(this\.taken !== undefined\)\s*return this\.taken\.pull\(skip, length, at\);/, ''],
  [/this\.taken !== undefined \? this\.taken\.vectors\(skip, length\) :/, ''],
];

/** Its program, and how to be rid of it. */
export function daemonWithoutGate(): { readonly program: string; remove(): void } {
  const folder = fs.mkdtempSync(PREFIX);
  const remove = (): void => fs.rmSync(folder, { recursive: true, force: true });
  try {
    for (const name of fs.readdirSync(bundles).filter((file) => file.endsWith('.js'))) {
      const text = fs.readFileSync(path.join(bundles, name), 'utf8');
      fs.writeFileSync(path.join(folder, name), name === QUEUE_WORKER ? withoutLooks(text) : text);
    }
    return { program: path.join(folder, 'daemon.js'), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function withoutLooks(text: string): string {
  return LOOKS.reduce((rest, [look, instead]) => {
    if (!look.test(rest)) throw new Error(`${QUEUE_WORKER} has no ${look.source}`);
    return rest.replace(look, instead);
  }, text);
}
