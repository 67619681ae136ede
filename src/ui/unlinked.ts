/**
 * A message's text as nothing but text. VS Code makes `[words](command:…)` in a message a link that runs the command,
 * and most of our messages have words of others in them: names of files and folders, settings of a workspace that
 * nobody trusts, what a share has sent. Knows nothing of vscode.
 */

/** Looks the same: what would be a link has a blank of no width in it. */
export function unlinked(text: string): string {
  return text.replaceAll('](', ']\u200b(');
}
