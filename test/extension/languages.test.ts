import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { until } from './machine';
import { run } from './views';

describe('requests as text in editors', () => {
  it('have numbers such as #2778, which are no colours', () => {
    for (const languageId of ['fuse-trace', 'fuse-request']) {
      assert.equal(vscode.workspace.getConfiguration('editor', { languageId }).get('colorDecorators'), false);
    }
  });
});

describe('the filter language in editors', () => {
  it('offers fields, and marks what is wrong', async () => {
    const document = await vscode.workspace.openTextDocument({
      language: 'fuse-filter',
      content: 'opcode == READ && lat',
    });
    await vscode.window.showTextDocument(document);
    const end = document.positionAt(document.getText().length);
    const { items } = (await run('vscode.executeCompletionItemProvider', document.uri, end)) as vscode.CompletionList;
    assert.ok(items.some(({ label }) => label === 'latency'));
    await until('the error', 20, () => vscode.languages.getDiagnostics(document.uri).length === 1);
    assert.match(vscode.languages.getDiagnostics(document.uri)[0].message, /no field "lat"/);
    await run('workbench.action.revertAndCloseActiveEditor');
  });

  it('has a page with all fields', async () => {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse('virtiofs-trace:/filter-language.md'));
    assert.match(document.getText(), /`latency`/);
  });
});
