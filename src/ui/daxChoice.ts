/**
 * The DAX window among the choices of a share: its row, why it cannot be, what there is to choose. Knows nothing of
 * vscode.
 */
import { Trouble } from '../base/catalogue';
import { daxGuestBytes, parseDaxSize } from '../base/daxSize';
import { sizeText } from '../trace/sizeText';
import { checkDaxWindows, DAX_SIZES, type LaunchOptions } from './launchOptions';
import { sentence } from './sentence';

export interface DaxChoice<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
}

/** User Mode Linux can have none; one that was chosen before stands in the way, and has to be seen to be taken back. */
export const daxOffered = ({ guest, dax }: LaunchOptions): boolean => guest === 'qemu' || dax !== '';

/** What is chosen, in a few words; and, where that cannot be, why not and what to do. */
export function daxWords(options: LaunchOptions): { readonly description: string; readonly fault?: string } {
  const { dax, daxMount, daxPolicy } = options;
  const description =
    dax === '' ? 'off' : [dax, `dax=${daxMount}`, ...(daxPolicy === '' ? [] : [daxPolicy])].join(', ');
  try {
    checkDaxWindows(options);
    return { description };
  } catch (error) {
    if (error instanceof Trouble) return { description, fault: sentence(error.message, error.remedy) };
    throw error;
  }
}

export function daxSizes(): DaxChoice<string>[] {
  return [
    { value: '', label: 'off', description: 'every access is a request, or comes from the page cache of the guest' },
    ...DAX_SIZES.map((value) => ({
      value,
      label: value,
      description: `costs the guest ${sizeText(daxGuestBytes(parseDaxSize(value)))} of memory`,
    })),
  ];
}

export const DAX_MOUNT_CHOICES: readonly DaxChoice<LaunchOptions['daxMount']>[] = [
  { value: 'inode', label: 'as the policy says', detail: 'dax=inode: asked for each file. Default.' },
  { value: 'always', label: 'all', detail: 'dax=always' },
  { value: 'never', label: 'none', detail: 'dax=never: the window is there, but nothing is mapped.' },
];
