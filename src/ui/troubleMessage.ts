/** Shows an error of the catalogue to a person, with what can be done about it. */
import { showError } from './messages';
import { sentence } from './sentence';

export interface Offer {
  readonly title: string;
  act(): unknown;
}

/** Not awaited by who calls it: the message stays until it is read. */
export async function showTrouble(text: string, remedy: string, offers: readonly Offer[] = []): Promise<void> {
  const chosen = await showError(sentence(text, remedy), ...offers.map(({ title }) => title));
  await offers.find(({ title }) => title === chosen)?.act();
}
