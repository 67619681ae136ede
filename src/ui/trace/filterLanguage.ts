/**
 * The filter language in editors: completion, hover and errors in documents of language `fuse-filter`, and completion
 * in `virtiofs.colorRules` of settings files.
 */
import * as vscode from 'vscode';
import { complete, type Completion, hover } from '../../trace/filter/complete';
import { compileFilter, errorLine } from '../../trace/filter/filter';
import { escapeMarkdown } from '../markdown';
import { MAX_LENGTH } from '../../trace/filter/lexer';

const LANGUAGE = 'fuse-filter';
const OPCODES = 'fuse-opcodes';

const kinds: Readonly<Record<Completion['kind'], vscode.CompletionItemKind>> = {
  field: vscode.CompletionItemKind.Field,
  opcode: vscode.CompletionItemKind.Event,
  operator: vscode.CompletionItemKind.Operator,
  value: vscode.CompletionItemKind.EnumMember,
  unit: vscode.CompletionItemKind.Unit,
  symbol: vscode.CompletionItemKind.Operator,
};

export function registerFilterLanguage(): vscode.Disposable {
  const problems = vscode.languages.createDiagnosticCollection(LANGUAGE);
  const check = (document: vscode.TextDocument): void => {
    if (document.languageId === LANGUAGE) problems.set(document.uri, diagnose(document));
  };
  vscode.workspace.textDocuments.forEach(check);
  const settings = [
    { language: 'jsonc', pattern: '**/settings.json' },
    { language: 'jsonc', pattern: '**/*.code-workspace' },
  ];
  return vscode.Disposable.from(
    problems,
    vscode.workspace.onDidOpenTextDocument(check),
    vscode.workspace.onDidChangeTextDocument(({ document }) => check(document)),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => problems.delete(uri)),
    vscode.languages.registerCompletionItemProvider({ language: LANGUAGE }, { provideCompletionItems }, ' ', '.', '('),
    // What is typed as a breakpoint's condition is not told: VS Code asks about the line that the breakpoint is on.
    vscode.languages.registerCompletionItemProvider({ language: OPCODES }, { provideCompletionItems: inConditions }),
    vscode.languages.registerHoverProvider({ language: LANGUAGE }, { provideHover }),
    vscode.languages.registerCompletionItemProvider(settings, { provideCompletionItems: inSettings }, ' ', '.', '"'),
  );
}

function diagnose(document: vscode.TextDocument): vscode.Diagnostic[] {
  const text = document.getText();
  const filter = compileFilter(text);
  if (filter.ok) return [];
  const { error } = filter;
  const range = new vscode.Range(
    document.positionAt(error.from),
    document.positionAt(Math.max(error.to, error.from + 1)),
  );
  const diagnostic = new vscode.Diagnostic(range, errorLine(error), vscode.DiagnosticSeverity.Error);
  diagnostic.source = 'Virtio-FS';
  return [diagnostic];
}

function itemOf({ label, kind, detail }: Completion, range: vscode.Range, order: number): vscode.CompletionItem {
  const item = new vscode.CompletionItem(label, kinds[kind]);
  item.documentation = detail;
  item.range = range;
  item.sortText = String(order).padStart(6, '0');
  return item;
}

function provideCompletionItems(document: vscode.TextDocument, position: vscode.Position): vscode.CompletionItem[] {
  const text = document.getText();
  if (text.length > MAX_LENGTH) return [];
  return complete(text, document.offsetAt(position)).map((one, i) =>
    itemOf(one, new vscode.Range(document.positionAt(one.from), document.positionAt(one.to)), i),
  );
}

/** What a condition or a log message can ask of a request, that of the line's own opcode first. */
function inConditions(document: vscode.TextDocument, position: vscode.Position): vscode.CompletionItem[] {
  const own = /^\s*\d+\s+(\w+)/.exec(document.lineAt(position.line).text)?.[1].toLowerCase();
  if (own === undefined) return [];
  const mine = complete(own, own.length).filter(({ label }) => label.startsWith(`${own}.`));
  const range = new vscode.Range(position, position);
  return [...mine, ...complete('', 0)].map((one, i) => itemOf(one, range, i));
}

function provideHover(document: vscode.TextDocument, position: vscode.Position): vscode.Hover | undefined {
  const found = hover(document.getText(), document.offsetAt(position));
  if (!found) return undefined;
  const range = new vscode.Range(document.positionAt(found.from), document.positionAt(found.to));
  return new vscode.Hover(new vscode.MarkdownString(escapeMarkdown(found.text)), range);
}

/** Inside of `"filter": "…"`, on one line, after `virtiofs.colorRules`. */
function inSettings(document: vscode.TextDocument, position: vscode.Position): vscode.CompletionItem[] {
  const before = document.lineAt(position.line).text.slice(0, position.character);
  const match = /"filter"\s*:\s*"((?:\\.|[^"\\])*)$/.exec(before);
  if (!match) return [];
  const above = document.getText(new vscode.Range(new vscode.Position(0, 0), position));
  if (!above.includes('"virtiofs.colorRules"')) return [];
  let text: string;
  try {
    text = JSON.parse(`"${match[1]}"`) as string;
  } catch {
    return [];
  }
  return complete(text, text.length).map((one, i) => {
    // What is replaced has no escapes in it: words and numbers.
    const from = position.character - (text.length - one.from);
    const item = itemOf(one, new vscode.Range(position.line, from, position.line, position.character), i);
    item.insertText = JSON.stringify(one.label).slice(1, -1);
    item.filterText = one.label;
    return item;
  });
}
