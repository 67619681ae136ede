/**
 * `virtiofs.colorRules`: filters with colours, the first one that a request passes counts. Checked, since settings come
 * from anybody. Knows nothing of vscode but what colours are called there.
 */
import type { Capture } from '../../trace/capture';
import { compileFilter, followFilter, type Filter, type Predicate } from '../../trace/filter/filter';

/** Names for people, and the theme's colour of each. */
const named: Readonly<Record<string, string>> = {
  red: 'charts.red',
  orange: 'charts.orange',
  yellow: 'charts.yellow',
  green: 'charts.green',
  blue: 'charts.blue',
  purple: 'charts.purple',
  gray: 'disabledForeground',
};
const MOST_RULES = 64;

export interface ColorRule {
  readonly filter: Filter;
  /** A theme colour's id. */
  readonly color: string;
}

export interface CheckedRules {
  readonly rules: readonly ColorRule[];
  /** What is wrong with the others, one sentence each; with no words of the setting, which may be anybody's. */
  readonly problems: readonly string[];
}

export function checkColorRules(setting: unknown): CheckedRules {
  const rules: ColorRule[] = [];
  const problems: string[] = [];
  if (!Array.isArray(setting)) return { rules, problems: setting === undefined ? [] : ['it is no list'] };
  setting.slice(0, MOST_RULES).forEach((rule: unknown, i) => {
    const { filter, color } = (typeof rule === 'object' && rule !== null ? rule : {}) as Record<string, unknown>;
    const where = `rule ${i + 1}`;
    if (typeof filter !== 'string' || typeof color !== 'string') problems.push(`${where} needs a filter and a color`);
    else if (!Object.hasOwn(named, color) && !/^[a-zA-Z]+\.[a-zA-Z.]+$/.test(color)) {
      problems.push(`${where}: its color is none that there is`);
    } else {
      const compiled = compileFilter(filter);
      if (compiled.ok) rules.push({ filter: compiled.value, color: named[color] ?? color });
      else problems.push(`${where}: its filter is not understood from character ${compiled.error.from + 1} on`);
    }
  });
  if (setting.length > MOST_RULES) problems.push(`only the first ${MOST_RULES} rules are used`);
  return { rules, problems };
}

/** The colour of a row; undefined: none. */
export function colorsOf(capture: Capture, rules: readonly ColorRule[]): (row: number) => string | undefined {
  const tests = rules.map(({ filter, color }): [Predicate, string] => [followFilter(filter, capture), color]);
  return (row) => tests.find(([passes]) => passes(row))?.[1];
}
