/**
 * Words to a tree, by the grammar in ast.ts.
 *
 * Knows no field and no type. Stops at the first error. Besides the tree it keeps what a word at each place is for
 * (`marks`) and what could come where the text ends (`expects`): the editor's completion and hover read these.
 */
import type { BitsValue, CompareOperator, Condition, Expression, RangeMember, SimpleValue, Span, Value } from './ast';
import { bad, good, type FilterError, type Outcome } from './errors';
import { MAX_LENGTH, tokens, type Token } from './lexer';

/** How deep parentheses and "!" may be nested. */
export const MAX_DEPTH = 100;

/** What may come at the end of the text. `field`: the one whose test it is in. */
export interface Expectation {
  kind: 'term' | 'condition' | 'value' | 'list' | 'bits' | 'member' | 'comma' | 'range' | 'pattern' | 'regex' | 'more';
  field?: string;
  /** The operator before a value. */
  operator?: string;
}

export interface Mark extends Span {
  role: 'field' | 'value' | 'operator';
  text: string;
  field?: string;
}

export interface Parsed {
  outcome: Outcome<Expression>;
  expects: Expectation;
  marks: readonly Mark[];
}

export const KEYWORDS: readonly string[] = ['and', 'or', 'not', 'in', 'has', 'true', 'false'];
export const COMPARISONS: readonly CompareOperator[] = ['==', '!=', '<', '<=', '>', '>='];

export function parse(text: string): Parsed {
  if (text.length > MAX_LENGTH) {
    const at = { from: MAX_LENGTH, to: text.length };
    const outcome = bad(`a filter has at most ${MAX_LENGTH} characters, this one has ${text.length}`, at);
    return { outcome, expects: { kind: 'term' }, marks: [] };
  }
  const parser = new Parser(tokens(text));
  const outcome = parser.whole();
  return { outcome, expects: parser.expects, marks: parser.marks };
}

/** Methods give undefined after an error, which is then in `error`. */
class Parser {
  private at = 0;
  private depth = 0;
  private error: FilterError | undefined;
  expects: Expectation = { kind: 'term' };
  readonly marks: Mark[] = [];

  constructor(private readonly list: readonly Token[]) {}

  whole(): Outcome<Expression> {
    if (this.peek().kind === 'end') return good({ kind: 'constant', value: true, from: 0, to: 0 });
    const tree = this.joined('or');
    if (tree && this.peek().kind !== 'end') this.unexpected('"&&" or "||"');
    if (this.error) return { ok: false, error: this.error };
    return tree ? good(tree) : bad('this is no filter', this.peek());
  }

  private peek(): Token {
    return this.list[this.at];
  }

  private take(): Token {
    const token = this.list[this.at];
    if (token.kind !== 'end') this.at++;
    return token;
  }

  private is(...texts: string[]): boolean {
    const { kind, text } = this.peek();
    return (kind === 'symbol' || kind === 'word') && texts.includes(text);
  }

  private accept(...texts: string[]): Token | undefined {
    if (!this.is(...texts)) return undefined;
    const token = this.take();
    if (token.kind === 'word' || /[=<>~!&|]/.test(token.text)) this.mark('operator', token);
    return token;
  }

  private mark(role: Mark['role'], token: Token, field?: string): void {
    const { from, to, text } = token;
    this.marks.push(field === undefined ? { role, from, to, text } : { role, from, to, text, field });
  }

  private fail(message: string, at: Span, suggestion?: string): undefined {
    const outcome = bad(message, at, suggestion);
    if (!outcome.ok) this.error ??= outcome.error;
    return undefined;
  }

  private unexpected(wanted: string): undefined {
    const token = this.peek();
    if (token.kind === 'error') return this.fail(token.text, token, token.suggestion);
    if (token.kind === 'end') return this.fail(`${wanted} is missing at the end`, token);
    return this.fail(`${wanted} was expected here`, token);
  }

  private joined(kind: 'or' | 'and'): Expression | undefined {
    const parts: Expression[] = [];
    do {
      const part = kind === 'or' ? this.joined('and') : this.negation();
      if (!part) return undefined;
      parts.push(part);
    } while (kind === 'or' ? this.accept('||', 'or') : this.accept('&&', 'and'));
    if (parts.length === 1) return parts[0];
    return { kind, parts, from: parts[0].from, to: parts[parts.length - 1].to };
  }

  private negation(): Expression | undefined {
    this.expects = { kind: 'term' };
    const start = this.peek();
    if (++this.depth > MAX_DEPTH) return this.fail(`nested deeper than ${MAX_DEPTH}`, start);
    const tree = this.negationInside(start);
    this.depth--;
    return tree;
  }

  private negationInside(start: Token): Expression | undefined {
    if (this.accept('!', 'not')) {
      const part = this.negation();
      return part && { kind: 'not', part, from: start.from, to: part.to };
    }
    if (this.accept('(')) {
      const inside = this.joined('or');
      if (!inside) return undefined;
      if (!this.is(')')) return this.unexpected('"&&", "||" or ")"');
      const { to } = this.take();
      this.expects = { kind: 'more' };
      return { ...inside, from: start.from, to };
    }
    if (this.is('true', 'false')) {
      const { text, from, to } = this.take();
      this.expects = { kind: 'more' };
      return { kind: 'constant', value: text === 'true', from, to };
    }
    return this.test();
  }

  private test(): Expression | undefined {
    const field = this.peek();
    if (field.kind !== 'word' || KEYWORDS.includes(field.text)) return this.unexpected('a field');
    this.take();
    this.mark('field', field);
    const name = field.text;
    const word = { kind: 'word' as const, word: name, from: field.from, to: field.to };
    this.expects = { kind: 'condition', field: name };
    let mask: Value | undefined;
    if (this.accept('&')) {
      mask = this.bits(name, '&');
      if (!mask) return undefined;
    }
    const condition = this.condition(name);
    if (this.error) return undefined;
    const to = condition?.to ?? mask?.to ?? field.to;
    return {
      kind: 'test',
      field: word,
      ...(mask ? { mask } : {}),
      ...(condition ? { condition } : {}),
      from: field.from,
      to,
    };
  }

  private condition(field: string): Condition | undefined {
    const start = this.peek();
    const { from } = start;
    const comparison = this.accept(...COMPARISONS);
    if (comparison) {
      const value = this.bits(field, comparison.text);
      return value && { kind: 'compare', operator: comparison.text as CompareOperator, value, from, to: value.to };
    }
    if (this.accept('has')) {
      const value = this.bits(field, 'has');
      return value && { kind: 'has', value, from, to: value.to };
    }
    if (this.accept('in')) return this.members(field, from, false);
    if (this.is('not')) {
      this.accept('not');
      if (!this.accept('in')) return this.unexpected('"in"');
      return this.members(field, from, true);
    }
    const matches = this.accept('~', '!~', '=~');
    return matches && this.pattern(matches);
  }

  private pattern({ from, text: operator }: Token): Condition | undefined {
    const negated = operator === '!~';
    this.expects = { kind: operator === '=~' ? 'regex' : 'pattern' };
    const token = this.peek();
    if (token.kind === 'text' && operator !== '=~') {
      this.take();
      this.expects = { kind: 'more' };
      const pattern = { kind: 'text' as const, text: token.text, from: token.from, to: token.to };
      return { kind: 'glob', negated, pattern, from, to: token.to };
    }
    if (token.kind === 'regex' && operator === '~') {
      const regex = `=~ /${token.text}/${token.fold ? 'i' : ''}`;
      return this.fail('a regular expression is searched for with =~', { from, to: token.to }, regex);
    }
    if (token.kind === 'regex') {
      this.take();
      this.expects = { kind: 'more' };
      return { kind: 'regex', negated, pattern: token.text, fold: token.fold === true, from, to: token.to };
    }
    if (operator === '=~') return this.unexpected('a regular expression such as /db$/');
    if (token.kind === 'word' || token.kind === 'number') {
      return this.fail('a pattern is written in quotes', token, JSON.stringify(token.text));
    }
    return this.unexpected('a pattern such as "*.db"');
  }

  private members(field: string, from: number, negated: boolean): Condition | undefined {
    this.expects = { kind: 'list', field, operator: 'in' };
    if (!this.accept('(')) {
      const range = this.member(field);
      if (!range) return undefined;
      if (range.kind !== 'range') {
        const at = this.peek().kind === 'end' ? this.peek() : range;
        return this.fail('"in" wants a range such as 4K..1M, or values in parentheses', at);
      }
      return { kind: 'in', negated, members: [range], from, to: range.to };
    }
    const members: (SimpleValue | RangeMember)[] = [];
    do {
      const member = this.member(field);
      if (!member) return undefined;
      members.push(member);
      this.expects = { kind: 'comma' };
    } while (this.accept(','));
    if (!this.is(')')) return this.unexpected('"," or ")"');
    const { to } = this.take();
    this.expects = { kind: 'more' };
    return { kind: 'in', negated, members, from, to };
  }

  private member(field: string): SimpleValue | RangeMember | undefined {
    if (this.expects.kind !== 'list') this.expects = { kind: 'member', field, operator: 'in' };
    const low = this.value(field);
    if (!low) return undefined;
    this.expects = { kind: 'range' };
    if (!this.accept('..')) return low;
    this.expects = { kind: 'member', field, operator: '..' };
    const high = this.value(field);
    if (!high) return undefined;
    this.expects = { kind: 'more' };
    return { kind: 'range', low, high, from: low.from, to: high.to };
  }

  private bits(field: string, operator: string): Value | undefined {
    this.expects = { kind: 'value', field, operator };
    const open = this.accept('(');
    if (open) {
      if (++this.depth > MAX_DEPTH) return this.fail(`nested deeper than ${MAX_DEPTH}`, open);
      const inside = this.bits(field, operator);
      this.depth--;
      if (!inside) return undefined;
      if (!this.is(')')) return this.unexpected('"|" or ")"');
      const { to } = this.take();
      this.expects = { kind: operator === '&' ? 'condition' : 'more', field };
      return { ...inside, from: open.from, to };
    }
    const parts: SimpleValue[] = [];
    do {
      if (parts.length > 0) this.expects = { kind: 'bits', field, operator };
      const part = this.value(field);
      if (!part) return undefined;
      parts.push(part);
      this.expects = { kind: operator === '&' ? 'condition' : 'more', field };
    } while (this.accept('|'));
    if (parts.length === 1) return parts[0];
    return { kind: 'bits', parts, from: parts[0].from, to: parts[parts.length - 1].to } satisfies BitsValue;
  }

  private value(field: string): SimpleValue | undefined {
    const token = this.peek();
    const { from, to, text } = token;
    if (token.kind === 'word' && !['and', 'or', 'not', 'in', 'has'].includes(text)) {
      this.mark('value', this.take(), field);
      return { kind: 'word', word: text, from, to };
    }
    if (token.kind === 'number' || token.kind === 'text') {
      this.mark('value', this.take(), field);
      return { kind: token.kind, text, from, to };
    }
    return this.unexpected('a value');
  }
}
