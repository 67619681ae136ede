/**
 * A capture as text in pages: one line a request, under it its host system calls or every field. Which line is which
 * request is known, so that editors can fold, link and explain.
 */
import type { Node } from '../protocol/decode';
import { printNode } from '../protocol/print';
import type { Capture } from './capture';
import { hostCallLine } from './hostCallLine';
import { requestLine } from './line';
import { printDuration } from './times';

export type PageStyle = 'lines' | 'fields';

/** Requests on one page. */
export const pageRows: Readonly<Record<PageStyle, number>> = { lines: 5000, fields: 200 };

export interface TracePage {
  readonly lines: readonly string[];
  /** By line: the row it is, or is about; -1: none. */
  readonly rows: Int32Array;
  /** By line: 1 when it is the line of a request. */
  readonly heads: Uint8Array;
}

const INDENT = '      ';
/** Fields of one message: a listing of thousands has more. */
const MOST_FIELDS = 2000;

/** Rows [from, to); numbers are shown from `base` on. `title`: a first line, a comment. */
export function tracePage(
  capture: Capture,
  rows: ArrayLike<number>,
  style: PageStyle,
  base: number,
  title: string,
): TracePage {
  const lines: string[] = [`# ${title}`];
  const of: number[] = [-1];
  const heads: number[] = [0];
  const add = (row: number, head: number, text: string): void => {
    lines.push(text);
    of.push(row);
    heads.push(head);
  };
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    add(row, 1, `#${row + base}  ${requestLine(capture, row).trim()}`);
    for (const record of capture.hostCalls(row)) {
      add(row, 0, `${INDENT}${hostCallLine(record)}  ${printDuration(record.duration)}`);
    }
    if (style === 'fields') for (const line of fieldLines(capture, row)) add(row, 0, INDENT + line);
  }
  return { lines, rows: Int32Array.from(of), heads: Uint8Array.from(heads) };
}

function fieldLines(capture: Capture, row: number): string[] {
  const lines: string[] = [];
  const request = capture.request(row);
  for (const node of request?.nodes ?? []) tree(node, '', lines);
  const reply = capture.reply(row);
  for (const node of reply?.nodes ?? []) tree(node, '', lines);
  return lines;
}

function tree(node: Node, indent: string, lines: string[]): void {
  if (lines.length >= MOST_FIELDS || node.field?.show === 'padding') return;
  const text = printNode(node);
  const value = text === '' && !node.children ? `${node.length} bytes` : text;
  lines.push(`${indent}${node.name}${value === '' ? '' : `=${value}`}`);
  for (const child of node.children ?? []) tree(child, `${indent}  `, lines);
}
