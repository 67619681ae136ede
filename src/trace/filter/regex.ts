/**
 * Regular expressions: the part of JavaScript's that can be matched in linear time.
 *
 * Characters, `.`, sets, `\d \w \s` and their opposites, groups, `|`, `* + ? {n} {n,} {n,m}` (lazy ones alike, since
 * only whether there is a match counts), `^ $ \b \B`. No look-around and no references back to a group.
 */
import { literal, matcher, sequence, type CharacterSet, type Pattern } from './matcher';

type Ranges = CharacterSet['ranges'];

const MOST_REPEATS = 1000;
const MAX_DEPTH = 50;
const HYPHEN = 45;

const classes: Readonly<Record<string, Ranges>> = {
  d: [[48, 57]],
  w: [
    [48, 57],
    [65, 90],
    [95, 95],
    [97, 122],
  ],
  s: [
    [9, 13],
    [32, 32],
    [0xa0, 0xa0],
    [0x1680, 0x1680],
    [0x2000, 0x200a],
    [0x2028, 0x2029],
    [0x202f, 0x202f],
    [0x205f, 0x205f],
    [0x3000, 0x3000],
    [0xfeff, 0xfeff],
  ],
};
const LAST = 0x10ffff;

/** All that a class leaves out. */
function others(ranges: Ranges): Ranges {
  const result: [number, number][] = [];
  let from = 0;
  for (const [low, high] of ranges) {
    if (low > from) result.push([from, low - 1]);
    from = high + 1;
  }
  return [...result, [from, LAST]];
}

function classOf(letter: string): Ranges | undefined {
  const ranges = classes[letter.toLowerCase()];
  if (!ranges) return undefined;
  return letter === letter.toLowerCase() ? ranges : others(ranges);
}

const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, '0': 0 };

/** The test, or what is wrong with the pattern. */
export function regexMatcher(pattern: string, fold: boolean): ((text: string) => boolean) | string {
  // Most are plain text.
  if (!fold && /^[^\\^$.*+?()[\]{}|]*$/.test(pattern)) return (text) => text.includes(pattern);
  const reader = new RegexReader(Array.from(pattern));
  const tree = reader.whole();
  if (reader.problem !== undefined || !tree) return reader.problem ?? 'the regular expression is not understood';
  return matcher(tree, false, fold) ?? 'the regular expression is too long';
}

class RegexReader {
  problem: string | undefined;
  private at = 0;
  private depth = 0;

  constructor(private readonly text: readonly string[]) {}

  whole(): Pattern | undefined {
    const tree = this.choice();
    if (tree && this.at < this.text.length) return this.fail('")" without "("');
    return tree;
  }

  private fail(problem: string): undefined {
    this.problem ??= problem;
    return undefined;
  }

  private choice(): Pattern | undefined {
    const parts: Pattern[] = [];
    do {
      const items: Pattern[] = [];
      while (this.at < this.text.length && this.text[this.at] !== '|' && this.text[this.at] !== ')') {
        const item = this.item();
        if (!item) return undefined;
        items.push(item);
      }
      parts.push(sequence(items));
    } while (this.text[this.at] === '|' && ++this.at);
    return parts.length === 1 ? parts[0] : { kind: 'choice', parts };
  }

  private item(): Pattern | undefined {
    const part = this.atom();
    if (!part) return undefined;
    const count = this.count();
    if (!count) return this.problem === undefined ? part : undefined;
    if (part.kind === 'start' || part.kind === 'end') return this.fail('nothing to repeat');
    if (this.text[this.at] === '?') this.at++;
    return { kind: 'repeat', part, ...count };
  }

  private count(): { least: number; most: number | undefined } | undefined {
    const c = this.text[this.at];
    if (c === '*' || c === '+' || c === '?') {
      this.at++;
      return { least: c === '+' ? 1 : 0, most: c === '?' ? 1 : undefined };
    }
    if (c !== '{') return undefined;
    const braces = /^\{(\d{1,9})(?:(,)(\d{1,9})?)?\}/.exec(this.text.slice(this.at, this.at + 24).join(''));
    if (!braces) return undefined;
    const least = Number(braces[1]);
    const most = braces[2] === undefined ? least : braces[3] === undefined ? undefined : Number(braces[3]);
    if (Math.max(least, most ?? 0) > MOST_REPEATS) return this.fail(`at most ${MOST_REPEATS} repeats are possible`);
    if (most !== undefined && most < least) return this.fail(`${braces[0]} counts backwards`);
    this.at += braces[0].length;
    return { least, most };
  }

  private atom(): Pattern | undefined {
    const c = this.text[this.at++];
    switch (c) {
      case '.':
        return { kind: 'set', set: { ranges: [[10, 10]], negated: true } };
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '(':
        return this.group();
      case '[':
        return this.set();
      case '\\':
        return this.escape();
      case '*':
      case '+':
      case '?':
        return this.fail('nothing to repeat');
      default:
        return literal(codeOf(c));
    }
  }

  private group(): Pattern | undefined {
    if (this.text[this.at] === '?') {
      if (this.text[this.at + 1] !== ':') return this.fail('look-around and named groups are not possible');
      this.at += 2;
    }
    if (++this.depth > MAX_DEPTH) return this.fail(`groups are nested deeper than ${MAX_DEPTH}`);
    const inside = this.choice();
    this.depth--;
    if (!inside) return undefined;
    if (this.text[this.at] !== ')') return this.fail('"(" without ")"');
    this.at++;
    return inside;
  }

  private escape(): Pattern | undefined {
    const c = this.text[this.at];
    if (c === 'b' || c === 'B') {
      this.at++;
      return { kind: c === 'b' ? 'boundary' : 'inside' };
    }
    const ranges = this.escaped();
    return ranges && { kind: 'set', set: { ranges, negated: false } };
  }

  /** What stands behind a backslash, in a set or outside. */
  private escaped(): Ranges | undefined {
    const c = this.text[this.at++];
    if (c === undefined) return this.fail('a backslash at the end');
    const ranges = classOf(c);
    if (ranges) return ranges;
    const code = /^(?:x([0-9a-f]{2})|u([0-9a-f]{4}))/i.exec(this.text.slice(this.at - 1, this.at + 4).join(''));
    if (code) {
      this.at += code[0].length - 1;
      const value = parseInt(code[1] ?? code[2], 16);
      return [[value, value]];
    }
    const control = controls[c];
    if (control === undefined && /[A-Za-z1-9]/.test(c)) return this.fail(`\\${c} is not possible`);
    return [[control ?? codeOf(c), control ?? codeOf(c)]];
  }

  private set(): Pattern | undefined {
    const negated = this.text[this.at] === '^';
    if (negated) this.at++;
    const ranges: (readonly [number, number])[] = [];
    while (this.text[this.at] !== ']') {
      const low = this.member();
      if (!low) return undefined;
      const isRange = this.text[this.at] === '-' && this.text[this.at + 1] !== ']';
      if (!isRange || !isCharacter(low)) {
        ranges.push(...low);
        continue;
      }
      this.at++;
      const high = this.member();
      if (!high) return undefined;
      // A class has no place in a range: the hyphen before it means itself, as in JavaScript.
      if (!isCharacter(high)) ranges.push(...low, [HYPHEN, HYPHEN], ...high);
      else if (high[0][0] < low[0][0]) return this.fail('a range in a set counts backwards');
      else ranges.push([low[0][0], high[0][0]]);
    }
    this.at++;
    return { kind: 'set', set: { ranges, negated } };
  }

  private member(): Ranges | undefined {
    const c = this.text[this.at++];
    if (c === undefined) return this.fail('"[" without "]"');
    if (c !== '\\') return [[codeOf(c), codeOf(c)]];
    if (this.text[this.at] !== 'b') return this.escaped();
    this.at++;
    return [[8, 8]];
  }
}

const isCharacter = (ranges: Ranges): boolean => ranges.length === 1 && ranges[0][0] === ranges[0][1];

const codeOf = (character: string): number => character.codePointAt(0) ?? 0;
