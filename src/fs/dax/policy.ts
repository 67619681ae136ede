/**
 * Which files of a share go through the DAX window where the guest leaves that to us (mount option dax=inode): by size
 * and by path, as its owner has said. Pure. Whether the host and the window can is not asked here.
 */
import { DAX_POLICY_SIZE } from '../../base/daxSize';

export interface DaxPolicy {
  /** Files whose size is not a multiple of a page too: the rest of their last page is kept as a copy. */
  readonly tails: boolean;
  /** Smallest and largest size, in bytes. */
  readonly least: number;
  readonly most: number;
  /** Paths below the share, or names where a pattern has no slash; empty: all. */
  readonly globs: readonly string[];
}

/** Files that need no copy of anything, of any size: what words add to. */
export const PAGES_ONLY: DaxPolicy = { tails: false, least: 1, most: Infinity, globs: [] };

const PAGE = 4096;
const UNITS = ['', 'K', 'M', 'G', 'T'];

/**
 * Words separated by commas: `pages` or `tails`, a size (`>=1M`, `<2G`), or a glob (`*.db`, `data/**`).
 * Undefined when a word is none of these.
 */
export function parsePolicy(text: string): DaxPolicy | undefined {
  let policy = PAGES_ONLY;
  for (const word of text.split(',')) {
    const size = DAX_POLICY_SIZE.exec(word);
    if (word === 'pages') policy = { ...policy, tails: false };
    else if (word === 'tails') policy = { ...policy, tails: true };
    else if (size) {
      const bytes = Number(size[3]) * 1024 ** UNITS.indexOf(size[4].toUpperCase());
      const strict = size[2] === '' ? 1 : 0;
      if (!Number.isSafeInteger(bytes)) return undefined;
      policy = size[1] === '>' ? { ...policy, least: bytes + strict } : { ...policy, most: bytes - strict };
    } else if (word === '' || /^[<>]/.test(word) || word.includes('\0')) return undefined;
    else policy = { ...policy, globs: [...policy.globs, word] };
  }
  return policy;
}

/** Why a file of this size does not go through the window, or undefined when nothing speaks against it. */
export function sizeFault({ tails, least, most }: DaxPolicy, size: number): string | undefined {
  if (size === 0) return 'it is empty';
  if (!tails && size % PAGE !== 0) return 'its size is not a multiple of 4096 (--dax-policy tails serves it)';
  if (size < least) return `it is smaller than ${shownSize(least)} (--dax-policy)`;
  if (size > most) return `it is larger than ${shownSize(most)} (--dax-policy)`;
  return undefined;
}

/** In the largest unit in which it is a whole number: as a person has most likely written it. */
function shownSize(bytes: number): string {
  let [count, unit] = [bytes, 0];
  for (; count > 0 && count % 1024 === 0 && unit < UNITS.length - 1; unit++) count /= 1024;
  return unit === 0 ? `${count} bytes` : `${count}${UNITS[unit]}`;
}

/** Whether a path below the share, without a slash at its start, is one of those that the policy names. */
export function pathMatcher(policy: DaxPolicy): (path: string) => boolean {
  if (policy.globs.length === 0) return () => true;
  const patterns = policy.globs.map((glob) => ({ whole: glob.includes('/'), pattern: globPattern(glob) }));
  return (path) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    return patterns.some(({ whole, pattern }) => pattern.test(whole ? path : name));
  };
}

/** `*` and `?` do not cross a slash, `**` does, `[ab]` and `[!ab]` are one character. */
function globPattern(glob: string): RegExp {
  const body = glob.replace(/^\//, '').replace(/\*\*\/|\*\*|\*|\?|\[!?[^\]/]+\]|[\s\S]/g, (part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part.length > 2 && part.startsWith('[')) {
      return `[${part.startsWith('[!') ? '^' : ''}${part.slice(part[1] === '!' ? 2 : 1, -1).replace(/[\\^\]]/g, '\\$&')}]`;
    }
    return part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  });
  return new RegExp(`^${body}$`, 's');
}
