/**
 * Patterns as shells have them: `*` and `?` within a name, `**` across folders, `[a-z]`, `[!a-z]`, `{a,b}`, and a
 * backslash before a character that is to mean itself.
 *
 * A pattern without a slash is held against the last name of a path, one with a slash against the whole path; a slash
 * at the beginning changes nothing. `a/**` is all below a, `**` + `/b` is b anywhere. Hidden names are names like any
 * other. What has no end (`[a`, `{a`) stands for its own characters.
 */
import { literal, matcher, sequence, type Pattern } from './matcher';

const SLASH = 47;
const inName: Pattern = { kind: 'set', set: { ranges: [[SLASH, SLASH]], negated: true } };
const anything: Pattern = { kind: 'set', set: { ranges: [], negated: true } };
const any = (part: Pattern): Pattern => ({ kind: 'repeat', part, least: 0, most: undefined });
/** Any number of whole folders. */
const folders = any(sequence([{ kind: 'repeat', part: inName, least: 1, most: undefined }, literal(SLASH)]));

/** The pattern, or part of one, that stands for exactly this text. */
export const globLiteral = (text: string): string => text.replace(/[*?[\]{}\\]/g, '\\$&');

/** Undefined: the pattern is too long. */
export function globMatcher(glob: string): ((path: string) => boolean) | undefined {
  if (/^[^/?[\]{}\\]*$/.test(glob)) return starsMatcher(glob.split(/\*+/));
  const test = matcher(new GlobReader(Array.from(glob.replace(/^\/(?=.)/, ''))).whole(), true);
  if (!test) return undefined;
  if (glob.includes('/')) return (path) => test(path.length > 1 && path[0] === '/' ? path.slice(1) : path);
  return (path) => test(lastName(path));
}

const lastName = (path: string): string => path.slice(path.lastIndexOf('/', path.length - 2) + 1);

/** The usual pattern of a name: texts with anything between them. Each text is best found as early as possible. */
function starsMatcher(parts: readonly string[]): (path: string) => boolean {
  const [first] = parts;
  const last = parts[parts.length - 1];
  if (parts.length === 1) return (path) => lastName(path) === first;
  const inner = parts.slice(1, -1);
  return (path) => {
    const name = lastName(path);
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    let at = first.length;
    for (const part of inner) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= name.length - last.length;
  };
}

class GlobReader {
  private at = 0;
  private depth = 0;

  constructor(private readonly text: readonly string[]) {}

  whole(): Pattern {
    return sequence(this.parts(''));
  }

  /** Up to one of the characters in `until` (not within an inner brace), or the end. */
  private parts(until: string): Pattern[] {
    const parts: Pattern[] = [];
    while (this.at < this.text.length) {
      const c = this.text[this.at];
      if (until.includes(c)) break;
      parts.push(this.one(c));
    }
    return parts;
  }

  private one(c: string): Pattern {
    this.at++;
    if (c === '?') return inName;
    if (c === '*') return this.star();
    if (c === '[') return this.set() ?? literal(codeOf(c));
    if (c === '{') return this.braces() ?? literal(codeOf(c));
    if (c === '\\' && this.at < this.text.length) return literal(codeOf(this.text[this.at++]));
    return literal(codeOf(c));
  }

  private star(): Pattern {
    if (this.text[this.at] !== '*') return any(inName);
    const opens = this.at < 2 || this.text[this.at - 2] === '/';
    while (this.text[this.at] === '*') this.at++;
    if (opens && this.text[this.at] === '/') {
      this.at++;
      return folders;
    }
    return any(anything);
  }

  private set(): Pattern | undefined {
    const { text } = this;
    let at = this.at;
    const negated = text[at] === '!' || text[at] === '^';
    if (negated) at++;
    const ranges: [number, number][] = [];
    const first = at;
    for (; at < text.length && (text[at] !== ']' || at === first); at++) {
      if (text[at] === '\\' && at + 1 < text.length) at++;
      const low = codeOf(text[at]);
      const isRange = text[at + 1] === '-' && at + 2 < text.length && text[at + 2] !== ']';
      if (isRange) at += 2;
      ranges.push([low, codeOf(text[at])]);
    }
    if (at >= text.length) return undefined;
    this.at = at + 1;
    // Never a slash, as `?` is none.
    const kept = negated ? [...ranges, [SLASH, SLASH] as const] : ranges.flatMap(withoutSlash);
    return { kind: 'set', set: { ranges: kept, negated } };
  }

  private braces(): Pattern | undefined {
    const start = this.at;
    if (this.depth >= 10) return undefined;
    if (!closes(this.text, start)) return undefined;
    this.depth++;
    const parts: Pattern[] = [];
    for (;;) {
      parts.push(sequence(this.parts(',}')));
      if (this.text[this.at++] === '}') break;
      if (this.at > this.text.length) {
        this.at = start;
        this.depth--;
        return undefined;
      }
    }
    this.depth--;
    return { kind: 'choice', parts };
  }
}

const withoutSlash = ([low, high]: [number, number]): [number, number][] =>
  low <= SLASH && high >= SLASH
    ? [
        [low, SLASH - 1],
        [SLASH + 1, high],
      ]
    : [[low, high]];

function closes(text: readonly string[], from: number): boolean {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return true;
  }
  return false;
}

const codeOf = (character: string): number => character.codePointAt(0) ?? 0;
