/**
 * Plain values as Lua text: numbers, strings, booleans, lists, tables.
 *
 * Owns the spelling only, the same for Lua 5.2 to 5.4. Members that are undefined are left out; the order is that of
 * the object, so the same value gives the same text.
 */

export type LuaValue =
  string | number | boolean | undefined | readonly LuaValue[] | { readonly [name: string]: LuaValue };

const KEYWORDS = new Set(
  (
    'and break do else elseif end false for function goto if in local nil not or repeat return then true ' +
    'until while'
  ).split(' '),
);

const WIDTH = 110;

/** A literal; lists and tables are broken into lines where they are long. */
export function luaText(value: LuaValue, indent = ''): string {
  if (value === undefined) return 'nil';
  if (typeof value === 'string') return luaString(value);
  if (typeof value !== 'object') return String(value);
  const deeper = `${indent}  `;
  const members = Array.isArray(value)
    ? (value as readonly LuaValue[]).map((each) => luaText(each, deeper))
    : Object.entries(value)
        .filter(([, each]) => each !== undefined)
        .map(([name, each]) => `${luaKey(name)} = ${luaText(each, deeper)}`);
  if (members.length === 0) return '{}';
  const line = `{ ${members.join(', ')} }`;
  if (line.length + indent.length <= WIDTH && !line.includes('\n')) return line;
  return `{\n${members.map((each) => `${deeper}${each},\n`).join('')}${indent}}`;
}

function luaKey(name: string): string {
  if (/^[0-9]+$/.test(name)) return `[${name}]`;
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !KEYWORDS.has(name) ? name : `[${luaString(name)}]`;
}

export function luaString(text: string): string {
  const escaped = text.replace(/["\\\u0000-\u001f\u007f]/g, (c) =>
    c === '"' || c === '\\' ? `\\${c}` : `\\${c.charCodeAt(0).toString().padStart(3, '0')}`,
  );
  return `"${escaped}"`;
}
