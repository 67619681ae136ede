/**
 * Reads what `share` and `demo` are told about guests: tags, shares, sizes. Pure, except that folders are looked at.
 */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { trouble } from '../base/catalogue';
import { DAX_SIZES, daxSizeFault, parseDaxSize } from '../base/daxSize';
import { systemReason } from '../base/systemReason';
import { tagFault } from '../base/tag';
import { mountPoint } from '../vm/guestInit';

export interface NamedFolder {
  readonly directory: string;
  readonly tag: string;
}

export const DEFAULT_TAG = 'share';

/** With less, QEMU finds no room for the kernel and waits for ever. */
const LEAST_MEMORY_MIB = 96;
const MOST_MEMORY_GIB = 1024;

/** `tag` as it is when it is one; throws a Trouble otherwise. */
export function checkedTag(tag: string): string {
  const fault = tagFault(tag);
  if (fault !== undefined) {
    throw trouble('tagBad', fault);
  }
  return tag;
}

/** `DIR:TAG`, the colon before the tag being the last one. */
export function parseShare(text: string): NamedFolder {
  const colon = text.lastIndexOf(':');
  if (colon < 1 || colon === text.length - 1) {
    throw trouble('shareBad', text);
  }
  return { directory: existingFolder(text.slice(0, colon)), tag: checkedTag(text.slice(colon + 1)) };
}

/**
 * The folders to share, the positional one first. Throws a Trouble for a folder or tag that cannot be, and for two tags
 * that would have one mount point: one share would hide the other. Such tags are also all that could have one name of a
 * capture, which keeps more of their characters.
 */
export function namedFolders(
  folder: string | undefined,
  tag: string | undefined,
  shares: readonly string[],
): NamedFolder[] {
  const first = folder ?? (shares.length === 0 || tag !== undefined ? '.' : undefined);
  const all = [
    ...(first === undefined ? [] : [{ directory: existingFolder(first), tag: checkedTag(tag ?? DEFAULT_TAG) }]),
    ...shares.map(parseShare),
  ];
  const byPlace = new Map<string, string>();
  for (const { tag } of all) {
    const place = mountPoint(tag);
    const other = byPlace.get(place);
    if (other === tag) throw trouble('tagTwice', tag);
    if (other !== undefined) throw trouble('tagsAlike', other, tag, place);
    byPlace.set(place, tag);
  }
  return all;
}

/** An absolute path of a folder that exists and can be entered. */
export function existingFolder(path: string): string {
  // To `resolve` it is the current one, and to a script, whose variable is empty, it is not.
  if (path === '') throw trouble('folderMissing', '""');
  const full = resolve(path);
  try {
    const stat = statSync(full, { throwIfNoEntry: false });
    // What is no UTF-8 reaches no JavaScript as it is, as a path that is given or as what a link leads to.
    const real = stat === undefined ? full : realpathSync.native(full);
    if (real.includes('\uFFFD') && !existsSync(real)) throw trouble('folderNameOdd', real);
    if (stat === undefined) throw trouble('folderMissing', path);
    if (!stat.isDirectory()) throw trouble('folderIsNone', path);
    // Needs the right to enter it.
    statSync(`${full}/.`);
  } catch (error) {
    const why = systemReason(error);
    throw why === undefined ? error : trouble('sharedDirUnusable', path, why);
  }
  return full;
}

/** MiB from `512`, `512M` or `2G`. */
export function parseMemory(text: string): number {
  const match = /^(\d{1,7})([MG]?)(?:i?B)?$/i.exec(text);
  const mebibytes = match === null ? 0 : Number(match[1]) * (match[2].toUpperCase() === 'G' ? 1024 : 1);
  if (mebibytes < LEAST_MEMORY_MIB || mebibytes > MOST_MEMORY_GIB * 1024) {
    const wanted = `a size from ${LEAST_MEMORY_MIB}M to ${MOST_MEMORY_GIB}G, such as 512M or 2G`;
    throw trouble('numberBad', '--memory', text, wanted);
  }
  return mebibytes;
}

/** Bytes of a DAX window, from `64M`. Whether there can be one that large is `vm/daxChecks.ts`'s to say. */
export function parseDax(text: string): number {
  const bytes = parseDaxSize(text);
  if (!(bytes > 0)) throw trouble('numberBad', '--dax', text, DAX_SIZES);
  const fault = daxSizeFault(bytes);
  if (fault !== undefined) throw trouble('daxSizeBad', text, fault);
  return bytes;
}

/** A whole number within bounds. */
export function parseCount(option: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least || number > most) {
    throw trouble('numberBad', option, text, `a number from ${least} to ${most}`);
  }
  return number;
}
