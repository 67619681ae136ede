/** What a packet on the DAX window says, in a few words. */
import { WindowWhat } from '../packet';

export const WINDOW_WORDS: Readonly<Record<number, string>> = {
  [WindowWhat.MAPPED]: 'mapped before',
  [WindowWhat.REFUSED]: 'without the window',
  [WindowWhat.CHANGED]: 'changed by the host',
  [WindowWhat.SHORTENED]: 'shortened by the host',
  [WindowWhat.FAILED]: 'failed',
};
