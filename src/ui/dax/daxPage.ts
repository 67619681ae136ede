/** The page of the DAX Window view: markup without content, and a policy that lets nothing in but our own. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

const FOLDER = ['dist', 'webview'] as const;

export function daxOptions(extension: vscode.Uri): vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extension, ...FOLDER)] };
}

export function daxPage(webview: vscode.Webview, extension: vscode.Uri): string {
  const nonce = randomBytes(16).toString('base64');
  const uri = (name: string): string =>
    webview.asWebviewUri(vscode.Uri.joinPath(extension, ...FOLDER, name)).toString();
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${webview.cspSource}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${uri('dax.css')}">
<title>DAX Window</title>
</head>
<body>
<main id="dax" aria-busy="true"></main>
<script nonce="${nonce}" src="${uri('dax.js')}"></script>
</body>
</html>
`;
}
