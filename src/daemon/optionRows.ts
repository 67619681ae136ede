/** What an option of the daemon is, and the kinds of options: each makes a row of the table. */
import { type Trouble, trouble } from '../base/catalogue';
import type { DaemonOptions } from './daemonOptions';

export interface Draft {
  options: Partial<DaemonOptions>;
  notices: string[];
  /** Set by an option that is answered with text. */
  print: 'help' | 'version' | 'capabilities' | undefined;
}

export interface Row {
  /** Spellings, the one that messages use first. */
  names: readonly string[];
  /** What stands for the value in the help; without it the option is a switch. */
  value?: string;
  doc: string;
  apply(draft: Draft, value: string, name: string): Trouble | undefined;
}

/** A row that sets one option to what `read` makes of the value; `wanted` describes a good value. */
export function setting<Key extends keyof DaemonOptions>(
  names: readonly string[],
  value: string,
  doc: string,
  key: Key,
  wanted: string,
  read: (text: string) => DaemonOptions[Key] | undefined,
): Row {
  return {
    names,
    value,
    doc,
    apply: (draft, text, name) => {
      const result = read(text);
      if (result === undefined) return trouble('optionBadValue', name, text, wanted);
      draft.options[key] = result;
      return undefined;
    },
  };
}

type Switch = {
  [Key in keyof DaemonOptions]-?: DaemonOptions[Key] extends boolean ? Key : never;
}[keyof DaemonOptions];

export function toggle(name: string, key: Switch, to: boolean, doc: string): Row {
  return {
    names: [name],
    doc,
    apply: (draft) => {
      draft.options[key] = to;
      return undefined;
    },
  };
}

/** An option of virtiofsd that changes nothing here. */
export function ignored(names: readonly string[], value: string | undefined, why: string): Row {
  return {
    names,
    ...(value === undefined ? {} : { value }),
    doc: `No effect: ${why}`,
    apply: (draft, _text, name) => {
      draft.notices.push(`${name} has no effect: ${why}`);
      return undefined;
    },
  };
}

/** An option of virtiofsd that only works with one value here. */
export function only(name: string, value: string, good: readonly string[], doc: string, remedy: string): Row {
  return {
    names: [name],
    value,
    doc,
    apply: (_draft, text) =>
      good.includes(text) ? undefined : trouble('optionUnsupported', `${name}=${text}`, remedy),
  };
}

export function refused(name: string, value: string | undefined, remedy: string): Row {
  return {
    names: [name],
    ...(value === undefined ? {} : { value }),
    doc: '',
    apply: () => trouble('optionUnsupported', name, remedy),
  };
}

export function answer(names: readonly string[], print: NonNullable<Draft['print']>, doc: string): Row {
  return {
    names,
    doc,
    apply: (draft) => {
      draft.print ??= print;
      return undefined;
    },
  };
}
