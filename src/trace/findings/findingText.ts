/**
 * Findings as lines for a terminal: severity, code and title; what was seen; what to do; the rows that prove it.
 *
 * Plain text, without colours: `kind` of a line says what it is to who colours it.
 */
import type { Finding } from './finding';

export interface FindingLine {
  readonly kind: 'title' | 'text' | 'remedy' | 'rows';
  readonly severity: Finding['severity'];
  readonly text: string;
}

export interface FindingTextOptions {
  /** Where lines are broken; 100 unless said. 0: nowhere. */
  readonly width?: number;
  /** How rows are named: `#12` unless said. */
  readonly row?: (row: number) => string;
  /** How many rows are named; 8 unless said. */
  readonly rows?: number;
}

const INDENT = '  ';

/** The lines of one finding. */
export function findingLines(of: Finding, options: FindingTextOptions = {}): FindingLine[] {
  const { width = 100, row = (each: number): string => `#${each}`, rows = 8 } = options;
  const lines: FindingLine[] = [];
  const add = (kind: FindingLine['kind'], text: string, indent: string): void => {
    for (const line of wrap(text, width, indent)) lines.push({ kind, severity: of.severity, text: line });
  };
  add('title', `${of.severity}: ${of.title} [${of.code}]`, '');
  add('text', of.text, INDENT);
  add('remedy', `What to do: ${of.remedy}`, INDENT);
  if (of.rows.length > 0) {
    const named = [...of.rows.subarray(0, rows)].map(row);
    const more = of.total - named.length;
    add('rows', `Requests: ${named.join(' ')}${more > 0 ? ` and ${more} more` : ''}`, INDENT);
  }
  return lines;
}

/** All of them, with an empty line between two; one sentence where there is none. */
export function findingsText(all: readonly Finding[], options: FindingTextOptions = {}): string {
  if (all.length === 0) return 'Nothing found.';
  return all
    .map((each) =>
      findingLines(each, options)
        .map(({ text }) => text)
        .join('\n'),
    )
    .join('\n\n');
}

/** Breaks at blanks; a word that is too long stays whole. Further lines are indented by two more. */
function wrap(text: string, width: number, indent: string): string[] {
  if (width === 0) return [indent + text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const before = lines.length === 0 ? indent : indent + INDENT;
    if (line !== '' && before.length + line.length + 1 + word.length > width) {
      lines.push(before + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push((lines.length === 0 ? indent : indent + INDENT) + line);
  return lines;
}
