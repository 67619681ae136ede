/** Which of the requests that match count: `5`, `== 5`, `>= 5`, `> 5`, `<= 5`, `< 5`, `% 5`. Pure. */

const tests: Readonly<Record<string, (hits: number, value: number) => boolean>> = {
  '': (hits, value) => hits === value,
  '=': (hits, value) => hits === value,
  '==': (hits, value) => hits === value,
  '>=': (hits, value) => hits >= value,
  '>': (hits, value) => hits > value,
  '<=': (hits, value) => hits <= value,
  '<': (hits, value) => hits < value,
  '%': (hits, value) => hits % value === 0,
};

/** The test of a count from 1 on; undefined for what is no condition. */
export function parseHitCondition(text: string): ((hits: number) => boolean) | undefined {
  const match = /^\s*(={0,2}|[<>]=?|%)\s*(\d{1,9})\s*$/.exec(text);
  if (!match || Number(match[2]) === 0) return undefined;
  const test = tests[match[1]];
  const value = Number(match[2]);
  return (hits) => test(hits, value);
}
