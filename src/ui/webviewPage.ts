/** The pages of webviews: markup without content, and a policy that lets nothing in but our own script and style. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

const FOLDER = ['dist', 'webview'] as const;

export function webviewOptions(extension: vscode.Uri): vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extension, ...FOLDER)] };
}

/** `name`: of the script, the style and the element that the script fills. */
export function webviewPage(
  webview: vscode.Webview,
  extension: vscode.Uri,
  name: 'timeline' | 'dax',
  title: string,
): string {
  const nonce = randomBytes(16).toString('base64');
  const uri = (file: string): string =>
    webview.asWebviewUri(vscode.Uri.joinPath(extension, ...FOLDER, file)).toString();
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${webview.cspSource}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${uri(`${name}.css`)}">
<title>${title}</title>
</head>
<body>
<main id="${name}" aria-busy="true"></main>
<script nonce="${nonce}" src="${uri(`${name}.js`)}"></script>
</body>
</html>
`;
}
