/**
 * A filter as it was written: the tree that the parser makes, and its grammar.
 *
 *   filter    = [ or ] ;
 *   or        = and , { ( "||" | "or" ) , and } ;
 *   and       = not , { ( "&&" | "and" ) , not } ;
 *   not       = ( "!" | "not" ) , not | "(" , or , ")" | "true" | "false" | test ;
 *   test      = field , [ "&" , bits ] , [ condition ] ;
 *   condition = ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) , bits
 *             | [ "not" ] , "in" , ( "(" , member , { "," , member } , ")" | range )
 *             | "has" , bits
 *             | ( "~" | "!~" ) , string
 *             | ( "=~" | "!~" ) , regex ;
 *   member    = value | range ;
 *   range     = value , ".." , value ;
 *   bits      = value , { "|" , value } | "(" , bits , ")" ;
 *   value     = number | string | word ;
 *   field     = word ;
 *   number    = [ "-" ] , ( hex | octal | decimal ) , [ unit ] ;
 *   word      = letter , { letter | digit | "_" } , { "." , letter , { letter | digit | "_" } } ;
 *   string    = '"' , { character | escape } , '"' | "'" , { character | escape } , "'" ;
 *   regex     = "/" , { character | "\/" } , "/" , [ "i" ] ;
 *
 * From loosest to tightest: or, and, not, comparison, "|" and "&" of bits. "&&" and "||" join any number of parts;
 * "!" applies to the whole test behind it. White space and comments (# to the end of the line) separate words.
 */

export interface Span {
  from: number;
  to: number;
}

export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';

export interface NumberValue extends Span {
  kind: 'number';
  /** As written: `0x10`, `128K`, `-2`, `1.5ms`. */
  text: string;
}
export interface TextValue extends Span {
  kind: 'text';
  text: string;
}
export interface WordValue extends Span {
  kind: 'word';
  word: string;
}
export interface BitsValue extends Span {
  kind: 'bits';
  parts: readonly SimpleValue[];
}
export type SimpleValue = NumberValue | TextValue | WordValue;
export type Value = SimpleValue | BitsValue;

export interface RangeMember extends Span {
  kind: 'range';
  low: SimpleValue;
  high: SimpleValue;
}

export type Condition =
  | (Span & { kind: 'compare'; operator: CompareOperator; value: Value })
  | (Span & { kind: 'in'; negated: boolean; members: readonly (SimpleValue | RangeMember)[] })
  | (Span & { kind: 'has'; value: Value })
  | (Span & { kind: 'glob'; negated: boolean; pattern: TextValue })
  | (Span & { kind: 'regex'; negated: boolean; pattern: string; fold: boolean });

export interface TestExpression extends Span {
  kind: 'test';
  field: WordValue;
  mask?: Value;
  condition?: Condition;
}

export type Expression =
  | (Span & { kind: 'or' | 'and'; parts: readonly Expression[] })
  | (Span & { kind: 'not'; part: Expression })
  | (Span & { kind: 'constant'; value: boolean })
  | TestExpression;
