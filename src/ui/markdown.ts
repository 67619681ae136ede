/** Markdown of texts that come from guests, captures and tables: shown as they are, whatever is in them. */
import * as vscode from 'vscode';

export function paragraphs(texts: readonly string[], code?: string): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
  if (code !== undefined) markdown.appendCodeblock(code, 'fuse-trace');
  for (const text of texts) {
    markdown.appendText(text);
    markdown.appendMarkdown('\n\n');
  }
  return markdown;
}
