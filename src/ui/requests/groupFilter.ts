/** The filter that lets through what is in a group of requests. Pure: knows neither the view nor vscode. */
import { globLiteral } from '../../trace/filter/glob';
import { printText } from '../../trace/filter/print';
import type { Group, Grouping } from '../../trace/requestGroups';
import { MANY_PATHS, NO_PATH } from '../../trace/requestGroups';

/** `path`: of a group by file. Undefined where no filter says what the group is: the rest of too many files. */
export function groupFilter(
  grouping: Grouping,
  { name, groups }: Pick<Group, 'name' | 'groups'>,
  path: string,
): string | undefined {
  switch (grouping) {
    case 'time':
      return '';
    case 'process':
      return `pid == ${name}`;
    case 'opcode':
      return opcodeFilter(name);
    case 'file':
      if (path === MANY_PATHS) return undefined;
      if (path === NO_PATH) return '!(path ~ "**")';
      return within(path, groups);
  }
}

const exactly = (path: string): string => `path == ${printText(path)}`;

/** In filters a slash at the beginning changes nothing, yet `/?12` is a name and `?12` a folder without one. */
function within(path: string, groups: number): string {
  const filter = groups > 0 ? `path ~ ${printText(`${globLiteral(path)}/**`)} || ${exactly(path)}` : exactly(path);
  if (path.startsWith('?')) return `(${filter}) && path =~ /^[?]/`;
  return path.startsWith('/?') ? `(${filter}) && path !~ /^[?]/` : filter;
}

/** Notifications and replies without a request have no opcode. */
function opcodeFilter(name: string): string {
  if (name.startsWith('NOTIFY_')) return `notification == FUSE_${name}`;
  return name.startsWith('(') ? 'orphan' : `opcode == ${name.replace(/^opcode /, '')}`;
}
