/**
 * Checks of what another process says: a shape takes anything and gives a fresh value of its type, or says what is
 * wrong.
 *
 * Problems are gathered, not thrown; where there are any, the value that comes back means nothing. Properties that a
 * shape does not name are left out. Knows no message: those are built from these.
 */

/** Longest texts and lists, unless a shape says less. */
const MOST_TEXT = 1 << 16;
const MOST_ITEMS = 10_000;
/** Problems told of one message. */
const MOST_PROBLEMS = 5;

export type Problems = string[];
export type Shape<T> = (value: unknown, place: string, problems: Problems) => T;
export type Value<S> = S extends Shape<infer T> ? T : never;

/** A member of an object that may be missing. */
interface Optional<T> {
  readonly optional: Shape<T>;
}

type Members = Readonly<Record<string, Shape<unknown> | Optional<unknown>>>;
type OptionalNames<M> = { [K in keyof M]: M[K] extends Optional<unknown> ? K : never }[keyof M];
type ObjectOf<M> = { readonly [K in Exclude<keyof M, OptionalNames<M>>]: Value<M[K]> } & {
  readonly [K in OptionalNames<M>]?: M[K] extends Optional<infer T> ? T : never;
};

const wrong = <T>(place: string, problems: Problems, wanted: string, instead: T): T => {
  if (problems.length < MOST_PROBLEMS) problems.push(`${place || 'the message'} is not ${wanted}`);
  return instead;
};

export const text =
  (most = MOST_TEXT): Shape<string> =>
  (value, place, problems) =>
    typeof value === 'string' && value.length <= most
      ? value
      : wrong(place, problems, `a text of at most ${most} characters`, '');

export const integer =
  (least = 0, most = Number.MAX_SAFE_INTEGER): Shape<number> =>
  (value, place, problems) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
      ? value
      : wrong(place, problems, `an integer from ${least} to ${most}`, least);

export const number: Shape<number> = (value, place, problems) =>
  typeof value === 'number' && Number.isFinite(value) ? value : wrong(place, problems, 'a number', 0);

export const flag: Shape<boolean> = (value, place, problems) =>
  typeof value === 'boolean' ? value : wrong(place, problems, 'true or false', false);

/** A 64-bit integer as decimal digits, since JSON's numbers hold 53 bits. */
export const wide: Shape<string> = (value, place, problems) =>
  typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? value : wrong(place, problems, 'a decimal number', '0');

/** Bytes, as base64. */
export const base64 =
  (mostBytes: number): Shape<string> =>
  (value, place, problems) =>
    typeof value === 'string' &&
    value.length <= Math.ceil(mostBytes / 3) * 4 &&
    value.length % 4 === 0 &&
    /^[A-Za-z0-9+/]*={0,2}$/.test(value)
      ? value
      : wrong(place, problems, `base64 of at most ${mostBytes} bytes`, '');

export const word =
  <const W extends string>(...words: readonly W[]): Shape<W> =>
  (value, place, problems) =>
    words.find((one) => one === value) ?? wrong(place, problems, `one of ${words.join(', ')}`, words[0]);

export const list =
  <T>(item: Shape<T>, most = MOST_ITEMS): Shape<readonly T[]> =>
  (value, place, problems) => {
    if (!Array.isArray(value) || value.length > most) {
      return wrong(place, problems, `a list of at most ${most} items`, []);
    }
    return value.map((one, index) => item(one, `${place}[${index}]`, problems));
  };

export const optional = <T>(shape: Shape<T>): Optional<T> => ({ optional: shape });

export const object =
  <M extends Members>(members: M): Shape<ObjectOf<M>> =>
  (value, place, problems) => {
    const result: Record<string, unknown> = {};
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return wrong(place, problems, 'an object', result as ObjectOf<M>);
    }
    for (const [name, member] of Object.entries(members)) {
      const inside = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
      const where = place === '' ? name : `${place}.${name}`;
      if (typeof member === 'function') result[name] = member(inside, where, problems);
      else if (inside !== undefined && inside !== null) result[name] = member.optional(inside, where, problems);
    }
    return result as ObjectOf<M>;
  };

export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: Problems };

export function checked<T>(shape: Shape<T>, value: unknown): Checked<T> {
  const problems: Problems = [];
  const result = shape(value, '', problems);
  return problems.length === 0 ? { ok: true, value: result } : { ok: false, problems };
}
