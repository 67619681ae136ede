/**
 * A dissector for Wireshark and tshark (3.6 or later): one Lua file, made from the protocol's tables.
 *
 * The file is its tables and then a few chunks of fixed code (lua/), which read messages by them as protocol/message.ts
 * does: no opcode and no field is named in the code. Deterministic: same version, same text. Where it is installed is
 * the command line's business.
 */
import { luaString, luaText } from './luaText';
import { bytesLua } from './lua/bytes';
import { exchangesLua } from './lua/exchanges';
import { fieldsLua } from './lua/fields';
import { fuseLua } from './lua/fuse';
import { hostCallsLua } from './lua/hostCalls';
import { knownNamesLua } from './lua/knownNames';
import { messagesLua } from './lua/messages';
import { pathsLua } from './lua/paths';
import { registerLua } from './lua/register';
import { textLua } from './lua/text';
import { vhostUserLua } from './lua/vhostUser';
import { windowLua } from './lua/window';
import { dissectorTables } from './tables';

/** The name of the file, wherever it is put. */
export const DISSECTOR_FILE = 'virtiofs-studio.lua';

/** The first line; a file that begins otherwise is not ours. */
export const DISSECTOR_MARK = '-- virtiofs-studio: dissector of virtio-fs captures for Wireshark and tshark';

const chunks = [
  bytesLua,
  textLua,
  fieldsLua,
  pathsLua,
  exchangesLua,
  messagesLua,
  fuseLua,
  hostCallsLua,
  vhostUserLua,
  knownNamesLua,
  windowLua,
  registerLua,
];

/** The text of the Lua file. */
export function dissectorLua(version: string): string {
  const facts = luaText({
    version,
    author: 'virtiofs-studio',
    description: 'FUSE over virtio-fs: requests, replies, host system calls, vhost-user messages',
  });
  return [
    DISSECTOR_MARK,
    '-- Made from its tables; changes are lost when it is installed again.',
    `local version = ${luaString(version)}`,
    `if set_plugin_info then\n  set_plugin_info(${facts})\nend`,
    `\nlocal tables = ${luaText(dissectorTables())}`,
    ...chunks,
  ].join('\n');
}
