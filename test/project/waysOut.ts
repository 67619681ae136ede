/**
 * What in a JavaScript file could send something off this machine; found in its syntax, so that texts and names do not
 * count.
 */
import ts from 'typescript';

/** Of Node.js, what a bundle may use; `net` only for sockets with a path, or on this machine. */
const MODULES: ReadonlySet<string> = new Set([
  'child_process',
  'crypto',
  'events',
  'fs',
  'fs/promises',
  'module',
  'net',
  'os',
  'path',
  'perf_hooks',
  'process',
  'stream/consumers',
  'timers/promises',
  'url',
  'util',
  'tty',
  'v8',
  'worker_threads',
  'zlib',
  'koffi',
  'vscode',
]);
/** Of a browser and of Node.js, everywhere. */
const GLOBALS: ReadonlySet<string> = new Set([
  'fetch',
  'XMLHttpRequest',
  'WebSocket',
  'WebSocketStream',
  'WebTransport',
  'EventSource',
  'RTCPeerConnection',
  'importScripts',
]);
/** As members of whatever: of `navigator`, of `vscode.env`, of `process`. */
const MEMBERS: ReadonlySet<string> = new Set([
  'sendBeacon',
  'createTelemetryLogger',
  'isTelemetryEnabled',
  'onDidChangeTelemetryEnabled',
  'machineId',
  'binding',
]);
const OWNERS: ReadonlySet<string> = new Set(['globalThis', 'window', 'self', 'global']);
const CONNECTS: ReadonlySet<string> = new Set(['connect', 'createConnection']);
/** What the compiler and the bundler call the module `net`. */
const NET = /(^|_)net(_|$)/;
const HERE: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

export function waysOut(source: string): string[] {
  const file = ts.createSourceFile('a.js', source, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS);
  const found: string[] = [];
  const say = (node: ts.Node, what: string): void => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
    found.push(`${line + 1}: ${what}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && GLOBALS.has(node.text) && isReference(node)) say(node, node.text);
    if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
      const name = memberName(node);
      const owner = ts.isIdentifier(node.expression) ? node.expression.text : '';
      if (name !== undefined && (MEMBERS.has(name) || (GLOBALS.has(name) && OWNERS.has(owner)))) say(node, name);
    }
    if (ts.isCallExpression(node)) call(node, say);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function call(node: ts.CallExpression, say: (node: ts.Node, what: string) => void): void {
  const { expression } = node;
  const [first, second] = node.arguments as readonly (ts.Expression | undefined)[];
  const isRequire = ts.isIdentifier(expression) && expression.text === 'require';
  if ((isRequire || expression.kind === ts.SyntaxKind.ImportKeyword) && first) {
    if (!ts.isStringLiteralLike(first)) {
      // A chunk of the bundle, by its number.
      if (!/^"\.\/" \+ /.test(first.getText())) say(node, `require(${first.getText()})`);
    } else if (!MODULES.has(first.text.replace(/^node:/, ''))) say(node, `require(${JSON.stringify(first.text)})`);
  }
  const called = calledMember(expression);
  if (!first || !called || !CONNECTS.has(called.name) || !NET.test(called.owner)) return;
  const isPath = !ts.isNumericLiteral(first) && !ts.isObjectLiteralExpression(first) && second === undefined;
  const isHere = second !== undefined && ts.isStringLiteralLike(second) && HERE.has(second.text);
  if (!isPath && !isHere) say(node, node.getText());
}

/** Of `a.name(…)` and `(0, a.name)(…)`. */
function calledMember(expression: ts.Expression): { readonly owner: string; readonly name: string } | undefined {
  if (ts.isParenthesizedExpression(expression)) return calledMember(expression.expression);
  if (ts.isBinaryExpression(expression)) return calledMember(expression.right);
  if (!ts.isPropertyAccessExpression(expression)) return undefined;
  return { owner: expression.expression.getText(), name: expression.name.text };
}

function memberName(node: ts.PropertyAccessExpression | ts.ElementAccessExpression): string | undefined {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  return ts.isStringLiteralLike(node.argumentExpression) ? node.argumentExpression.text : undefined;
}

/** Not the name of a member, a parameter or a key. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  return !(
    ts.isMethodDeclaration(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isGetAccessor(parent) ||
    ts.isSetAccessor(parent)
  );
}
