/** An error of the catalogue as one line for a person. Knows nothing of vscode. */

import { capital } from '../base/capital';
import { remedyHere } from './remedyHere';

/** The first line and the remedy; a message takes no more. */
export function sentence(text: string, remedy: string): string {
  const [first] = text.split('\n');
  return `${capital(first)}. ${remedyHere(remedy)}`;
}
