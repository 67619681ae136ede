/**
 * Markdown of texts that come from guests, captures and tables: shown as they are, whatever is in them.
 *
 * VS Code's own `appendText` makes every blank one that no line breaks at, so that sentences run out of the box.
 */
import * as vscode from 'vscode';

export function paragraphs(texts: readonly string[], code?: string): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
  if (code !== undefined) markdown.appendCodeblock(code, 'fuse-trace');
  return markdown.appendMarkdown(texts.map(escapeMarkdown).join('\n\n'));
}

export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\s\u0000-\u001f\u007f]+/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/[\\`*_{}[\]()#+\-!~<>|$:]/g, '\\$&')
    .replace(/^(\s*\d+)\./, '$1\\.');
}
