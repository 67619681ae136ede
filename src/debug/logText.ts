/**
 * Log messages of log points in a capture: `{read.size}` is replaced by that field of the row, `{}` by the whole request,
 * `{{` by a brace.
 * The daemon does the same for a share that runs.
 */
import { printNode } from '../protocol/print';
import { find } from '../protocol/decode';
import { quote } from '../protocol/text';
import type { Capture } from '../trace/capture';
import { errorName, kindOf, whatOf } from '../trace/line';
import { printDuration } from '../trace/times';

export const logText = (message: string, capture: Capture, row: number): string =>
  message.replace(/\{\{|\}\}|\{([^{}]*)\}/g, (whole, field: string | undefined) =>
    field === undefined ? whole[0] : fieldText(field.trim(), capture, row),
  );

function fieldText(field: string, capture: Capture, row: number): string {
  const { columns } = capture;
  switch (field) {
    case '':
      return whatOf(capture, row);
    case 'opcode':
      return kindOf(capture, row);
    case 'path':
      return quote(capture.path(columns.path[row]));
    case 'error':
      return errorName(capture, row) || '0';
    case 'latency':
      return printDuration(columns.latency[row]);
    case 'pid':
    case 'uid':
    case 'gid':
    case 'queue':
    case 'nodeid':
    case 'payload':
      return String(columns[field][row]);
  }
  const request = capture.request(row);
  const own = `${request?.opcode?.name.toLowerCase() ?? ''}.`;
  const short = field.startsWith(own) ? field.slice(own.length) : field;
  const message = short.startsWith('reply.') ? capture.reply(row) : request;
  const name = short.replace(/^(reply|request)\./, '');
  for (const tree of [message?.header, ...(message?.structs ?? [])]) {
    const found = find(tree, name);
    if (found !== undefined) return printNode(found);
  }
  const named = message?.nodes.find((node) => node.name === name);
  return named === undefined ? '?' : printNode(named);
}
