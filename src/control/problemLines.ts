/**
 * What a daemon tells its launcher of a share that goes on but not as it should: a line of JSON for each problem, on
 * the descriptor that `--problems-fd` names. Owns the line; what a problem is, `launcher.ts` says.
 */
import type { Trouble } from '../base/catalogue';
import { type ShareProblem, checkedProblem } from './launcher';

export function problemLine({ code, message, remedy }: Trouble): string {
  return `${JSON.stringify({ code, text: message, remedy })}\n`;
}

/** Of the share `tag`. Undefined for a line that says no problem. */
export function parseProblem(tag: string, line: string): ShareProblem | undefined {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    return undefined;
  }
  return checkedProblem(typeof said === 'object' ? { ...said, tag } : undefined);
}
