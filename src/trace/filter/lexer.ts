/**
 * The words of a filter: its text cut into tokens with their places.
 *
 * Knows no grammar and no field. Whatever the text, it ends with an `end` token; what is no word is an `error` token
 * that says why, and the parser stops there.
 */
import type { Span } from './ast';

/** Longest filter, characters. */
export const MAX_LENGTH = 10_000;

export interface Token extends Span {
  kind: 'word' | 'number' | 'text' | 'regex' | 'symbol' | 'error' | 'end';
  /** As written; of a text the text itself, of a regex its pattern, of an error what is wrong. */
  text: string;
  /** The regex has an i behind it. */
  fold?: boolean;
  suggestion?: string;
}

const symbols = ['&&', '||', '==', '!=', '<=', '>=', '=~', '!~', '..', '<', '>', '~', '!', '&', '|', '(', ')', ','];

const WORD = /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/y;
const NUMBER = /-?[0-9][0-9A-Za-z_]*(?:\.[0-9][0-9A-Za-z_]*)?/y;
const SPACE = /(?:\s|#[^\n]*)+/y;
const REGEX = /\/((?:[^/\\\n]|\\[^\n])*)\/([A-Za-z]*)/y;

/** Not the beginning of a path. */
const REGEX_ALONE = /\/((?:[^/\\\s]|\\\S)+)\/(i?)(?![^\s)&|,])/y;
const LIST = /\[([^[\]()\n]*)\]/y;

/** What people write in other languages. */
const foreign: Readonly<Record<string, string>> = { '=': '==', '<>': '!=', '===': '==', '!==': '!=' };

export function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  while (at < text.length) {
    const space = match(SPACE);
    if (space) {
      at += space[0].length;
      continue;
    }
    const token = next(text, at, match, found.at(-1));
    found.push(token);
    at = token.to;
    if (token.kind === 'error') break;
  }
  found.push({ kind: 'end', text: '', from: text.length, to: text.length });
  return found;
}

function next(
  text: string,
  at: number,
  match: (pattern: RegExp) => RegExpExecArray | null,
  before: Token | undefined,
): Token {
  const token = (kind: Token['kind'], length: number, value = text.slice(at, at + length)): Token => ({
    kind,
    text: value,
    from: at,
    to: at + length,
  });
  const word = match(WORD);
  if (word) return token('word', word[0].length);
  const number = match(NUMBER);
  if (number) return token('number', number[0].length);
  const first = text[at];
  if (first === '"' || first === "'") return textToken(text, at);
  if (first === '/' && before?.kind === 'symbol' && (before.text === '=~' || before.text === '!~')) {
    const regex = match(REGEX);
    if (!regex) return token('error', text.length - at, 'the regular expression has no end');
    if (regex[2] !== '' && regex[2] !== 'i') {
      return token('error', regex[0].length, `"${regex[2]}" behind a regular expression is not known, only i is`);
    }
    return { ...token('regex', regex[0].length, regex[1]), fold: regex[2] === 'i' };
  }
  // What it is told instead is the parser's to say, which knows where the test begins.
  const misplaced = before?.kind === 'symbol' && before.text === '~' ? match(REGEX_ALONE) : null;
  if (misplaced) return { ...token('regex', misplaced[0].length, misplaced[1]), fold: misplaced[2] === 'i' };
  const wrong = /^(?:[=!]==|<>|=(?![=~]))/.exec(text.slice(at, at + 3))?.[0];
  if (wrong !== undefined) {
    return { ...token('error', wrong.length, `"${wrong}" is no operator`), suggestion: foreign[wrong] };
  }
  const symbol = symbols.find((each) => text.startsWith(each, at));
  if (symbol !== undefined) return token('symbol', symbol.length);
  const bare = /^[^\s()&|,]+/.exec(text.slice(at, at + 200))?.[0] ?? first;
  if (first === '[' && before?.kind === 'word' && before.text === 'in') {
    const list = match(LIST);
    const wrong = token('error', list?.[0].length ?? 1, 'values are listed in parentheses');
    return list ? { ...wrong, suggestion: `(${list[1].trim()})` } : wrong;
  }
  if (/[*?[\]{}/]/.test(first)) {
    return { ...token('error', bare.length, 'a pattern is written in quotes'), suggestion: JSON.stringify(bare) };
  }
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return token('error', character.length, `"${character}" means nothing here`);
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '"': '"', "'": "'" };

/**
 * A backslash escapes a quote, a control character (n, t, r, 0) or stands for a character by number (u0041). Any other
 * stays with what is behind it: it belongs to a pattern, or to a name with a byte that is no text (x80, two
 * backslashes).
 */
function textToken(text: string, from: number): Token {
  const quote = text[from];
  let value = '';
  for (let at = from + 1; at < text.length; at++) {
    const c = text[at];
    if (c === quote) return { kind: 'text', text: value, from, to: at + 1 };
    if (c !== '\\') {
      value += c;
      continue;
    }
    const code = /^u[0-9a-fA-F]{4}/.exec(text.slice(at + 1, at + 6))?.[0];
    if (code !== undefined) {
      value += String.fromCharCode(parseInt(code.slice(1), 16));
      at += 5;
      continue;
    }
    const escaped = text[at + 1] ?? '';
    value += escapes[escaped] ?? c + escaped;
    at++;
  }
  return { kind: 'error', text: `the text has no end: ${quote} is missing`, from, to: text.length };
}
