/** The fields as a page of Markdown: what docs/filter-language.md lists, and a test compares. */
import { printEnum } from '../../protocol/print';
import { opcodeNames } from '../../protocol/fuse/opcodeNumbers';
import { opcodes } from '../../protocol/fuse/opcodes';
import { anyFields, builtIn, messageFields, type Field } from './fields';
import { describe } from './values';

const line = ({ name, type, doc }: Field): string => `- \`${name}\` (${describe(type)}): ${doc}`;

export function fieldList(): string {
  const parts: string[] = ['### Of every row', '', ...builtIn.map(line)];
  for (const opcode of opcodes) {
    const own = messageFields.filter(({ name }) => name.startsWith(`${opcode.name.toLowerCase()}.`));
    if (own.length === 0) continue;
    parts.push('', `### ${printEnum(opcodeNames, opcode.number)}`, '', opcode.doc, '', ...own.map(line));
  }
  const notices = messageFields.filter(({ name }) => name.startsWith('notify.'));
  parts.push('', '### Notifications', '', ...notices.map(line));
  parts.push('', '### Without an opcode', '', [...anyFields.keys()].map((name) => `\`${name}\``).join(', '));
  return `${parts.join('\n')}\n`;
}
