/** Shows an error of the catalogue to a person, with what can be done about it. */
import { type Show, showError } from './messages';
import { sentence } from './sentence';

export interface Offer {
  readonly title: string;
  act(): unknown;
}

/** Not awaited by who calls it: the message stays until it is read. `show`: a warning where things go on. */
export async function showTrouble(
  text: string,
  remedy: string,
  offers: readonly Offer[] = [],
  show: Show = showError,
): Promise<void> {
  const chosen = await show(sentence(text, remedy), ...offers.map(({ title }) => title));
  await offers.find(({ title }) => title === chosen)?.act();
}
