/** The timeline's page: markup without content, and a policy that lets nothing in but our own script and style. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

const FOLDER = ['dist', 'webview'] as const;

export function optionsFor(extension: vscode.Uri): vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extension, ...FOLDER)] };
}

export function timelinePage(webview: vscode.Webview, extension: vscode.Uri): string {
  const nonce = randomBytes(16).toString('base64');
  const uri = (name: string): string =>
    webview.asWebviewUri(vscode.Uri.joinPath(extension, ...FOLDER, name)).toString();
  const policy = [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
    `img-src ${webview.cspSource} data:`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${uri('timeline.css')}">
<title>Virtio-FS Timeline</title>
</head>
<body>
<main id="timeline" aria-busy="true"></main>
<script nonce="${nonce}" src="${uri('timeline.js')}"></script>
</body>
</html>
`;
}
