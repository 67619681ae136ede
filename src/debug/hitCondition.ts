/**
 * Which of the requests that match are meant: `5`, `== 5`, `>= 5`, `> 5`, `< 5`, `<= 5`, `% 5`. Hits count from 1. The
 * daemon has its own for a share that runs; this one is for captures, where hits are known beforehand.
 */
export type HitCondition = (hit: number) => boolean;

export const HIT_FORMS = '5, >= 5, > 5, < 5, <= 5, == 5 or % 5';

/** Undefined for what is none. */
export function parseHitCondition(text: string): HitCondition | undefined {
  const match = /^\s*(==|>=|>|<=|<|%)?\s*([1-9]\d{0,14})\s*$/.exec(text);
  if (!match) return undefined;
  const count = Number(match[2]);
  switch (match[1]) {
    case '>=':
      return (hit) => hit >= count;
    case '>':
      return (hit) => hit > count;
    case '<':
      return (hit) => hit < count;
    case '<=':
      return (hit) => hit <= count;
    case '%':
      return (hit) => hit % count === 0;
    default:
      return (hit) => hit === count;
  }
}
