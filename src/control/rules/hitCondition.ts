/** Which of the requests that match are meant: `5`, `== 5`, `>= 5`, `> 5`, `<= 5`, `< 5`, `% 5`. Hits count from 1. */
export type HitCondition = (hit: number) => boolean;

export const HIT_FORMS = '5, >= 5, > 5, < 5, <= 5, == 5 or % 5';

const tests: Readonly<Record<string, (hit: number, count: number) => boolean>> = {
  '': (hit, count) => hit === count,
  '=': (hit, count) => hit === count,
  '==': (hit, count) => hit === count,
  '>=': (hit, count) => hit >= count,
  '>': (hit, count) => hit > count,
  '<=': (hit, count) => hit <= count,
  '<': (hit, count) => hit < count,
  '%': (hit, count) => hit % count === 0,
};

/** Undefined for what is none. */
export function parseHitCondition(text: string): HitCondition | undefined {
  const match = /^\s*(={0,2}|[<>]=?|%)\s*0*([1-9]\d{0,14})\s*$/.exec(text);
  if (!match) return undefined;
  const test = tests[match[1]];
  const count = Number(match[2]);
  return (hit) => test(hit, count);
}
