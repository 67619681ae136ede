/**
 * Decoded requests as a document: `virtiofs-trace:/CAPTURE/STYLE/FIRST/TITLE.fusetrace`, in pages, so that a trace of a
 * million opens at once. What passes the filter of the view "Requests" is in it.
 *
 * Folding, links to the neighbouring pages and to the request, and what each word means.
 */
import * as vscode from 'vscode';
import { select } from '../../trace/filter/filter';
import { fieldList } from '../../trace/filter/fieldList';
import { traceHover } from '../../trace/traceHover';
import { type PageStyle, pageRows, type TracePage, tracePage } from '../../trace/tracePage';
import type { Captures } from '../captures/captures';
import type { OpenCapture } from '../captures/openCapture';
import { escapeMarkdown } from '../markdown';
import type { RequestsView } from '../requests/requestsView';
import { thousands } from '../../trace/countText';

export const TRACE_SCHEME = 'virtiofs-trace';
const LANGUAGE = 'fuse-trace';
const HELP = '/filter-language.md';

interface Shown {
  readonly page: TracePage;
  readonly capture: OpenCapture;
  /** What numbers in the text are more than rows by. */
  readonly base: number;
  readonly before: vscode.Uri | undefined;
  readonly after: vscode.Uri | undefined;
}

interface Place {
  readonly capture: OpenCapture;
  readonly style: PageStyle;
  /** Place of the first request among those that pass. */
  readonly first: number;
}

export class TraceDocuments
  implements
    vscode.TextDocumentContentProvider,
    vscode.FoldingRangeProvider,
    vscode.HoverProvider,
    vscode.DocumentLinkProvider,
    vscode.Disposable
{
  private readonly pages = new Map<string, Shown>();
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly captures: Captures,
    private readonly requests: RequestsView,
  ) {
    const selector = { language: LANGUAGE };
    this.subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(TRACE_SCHEME, this),
      vscode.languages.registerFoldingRangeProvider(selector, this),
      vscode.languages.registerHoverProvider(selector, this),
      vscode.languages.registerDocumentLinkProvider({ scheme: TRACE_SCHEME, language: LANGUAGE }, this),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => void this.pages.delete(uri.toString())),
    ];
  }

  /** Opens the page with this request (its stable number), or the first one. */
  async open(style: PageStyle, at?: number): Promise<vscode.TextEditor | undefined> {
    const capture = this.captures.active;
    if (!capture) return undefined;
    const rows = this.rowsOf(capture);
    const row = at === undefined ? undefined : at - capture.dropped;
    const place = row === undefined ? 0 : Math.max(0, lowerBound(rows, row));
    const first = Math.floor(place / pageRows[style]) * pageRows[style];
    const document = await vscode.workspace.openTextDocument(uriOf({ capture, style, first }));
    const editor = await vscode.window.showTextDocument(document, { preview: true });
    const line = this.pages.get(document.uri.toString())?.page.rows.indexOf(row ?? -2) ?? -1;
    if (line >= 0) {
      editor.selection = new vscode.Selection(line, 0, line, 0);
      editor.revealRange(new vscode.Range(line, 0, line, 0), vscode.TextEditorRevealType.InCenter);
    }
    return editor;
  }

  private rowsOf(capture: OpenCapture): ArrayLike<number> {
    const { filter } = this.requests.model;
    const { from, to } = capture;
    if (filter && capture === this.requests.model.capture) return select(capture.reader, filter, from, to);
    return Uint32Array.from({ length: to - from }, (_, i) => from + i);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    if (uri.path === HELP) return `# Fields of the filter language\n\n${fieldList()}`;
    const place = this.placeOf(uri);
    if (!place) return '# This capture is not open any more.\n';
    const { capture, style, first } = place;
    const rows = this.rowsOf(capture);
    const most = pageRows[style];
    const shown = Array.prototype.slice.call(rows, first, first + most) as number[];
    const last = first + shown.length;
    const filter = this.requests.model.filter?.text;
    const count = `requests ${thousands(first + 1)} to ${thousands(last)} of ${thousands(rows.length)}`;
    const title = [capture.title, count, ...(filter ? [`filter: ${filter.replace(/\s+/g, ' ')}`] : [])].join(' · ');
    const page = tracePage(capture.reader, shown, style, capture.dropped, title);
    const before = first > 0 ? uriOf({ capture, style, first: Math.max(0, first - most) }) : undefined;
    const after = last < rows.length ? uriOf({ capture, style, first: last }) : undefined;
    this.pages.set(uri.toString(), { page, capture, base: capture.dropped, before, after });
    const links = [...(before ? ['# « earlier requests'] : []), ...(after ? ['# » later requests'] : [])];
    return [...page.lines, ...links].join('\n');
  }

  private placeOf(uri: vscode.Uri): Place | undefined {
    const match = /^\/([a-z]+\d+)\/(lines|fields)\/(\d{1,10})\/[^/]*\.fusetrace$/.exec(uri.path);
    const capture = this.captures.all.find(({ id }) => id === match?.[1]);
    return match && capture ? { capture, style: match[2] as PageStyle, first: Number(match[3]) } : undefined;
  }

  /** A request with what is indented under it; of a document from elsewhere by the indentation alone. */
  provideFoldingRanges(document: vscode.TextDocument): vscode.FoldingRange[] {
    const ranges: vscode.FoldingRange[] = [];
    const open: { line: number; indent: number }[] = [];
    const close = (indent: number, before: number): void => {
      for (let last = open.at(-1); last && last.indent >= indent; last = open.at(-1)) {
        open.pop();
        if (before - 1 > last.line) ranges.push(new vscode.FoldingRange(last.line, before - 1));
      }
    };
    for (let line = 0; line < document.lineCount; line++) {
      const indent = document.lineAt(line).firstNonWhitespaceCharacterIndex;
      close(indent, line);
      open.push({ line, indent });
    }
    close(0, document.lineCount);
    return ranges;
  }

  provideHover(document: vscode.TextDocument, position: vscode.Position): vscode.Hover | undefined {
    const { text } = document.lineAt(position.line);
    let head = position.line;
    while (head > 0 && /^\s{2,}[a-z[]/.test(document.lineAt(head).text)) head--;
    const found = traceHover(text, position.character, document.lineAt(head).text);
    if (!found) return undefined;
    const markdown = new vscode.MarkdownString(`**${escapeMarkdown(found.title)}**\n\n${escapeMarkdown(found.text)}`);
    return new vscode.Hover(markdown, new vscode.Range(position.line, found.from, position.line, found.to));
  }

  provideDocumentLinks(document: vscode.TextDocument): vscode.DocumentLink[] {
    const shown = this.pages.get(document.uri.toString());
    if (!shown) return [];
    const links: vscode.DocumentLink[] = [];
    const add = (line: number, length: number, target: vscode.Uri, tooltip: string): void => {
      const link = new vscode.DocumentLink(new vscode.Range(line, 0, line, length), target);
      link.tooltip = tooltip;
      links.push(link);
    };
    for (let line = 0; line < document.lineCount; line++) {
      const { text } = document.lineAt(line);
      const number = /^#(\d+)/.exec(text);
      if (number) {
        const target = vscode.Uri.parse(`command:virtiofs.requests.reveal?${encodeURIComponent(`[${number[1]}]`)}`);
        add(line, number[0].length, target, 'Show in Requests');
      } else if (text.startsWith('# «') && shown.before) add(line, text.length, shown.before, 'Earlier requests');
      else if (text.startsWith('# »') && shown.after) add(line, text.length, shown.after, 'Later requests');
    }
    return links;
  }

  dispose(): void {
    for (const one of this.subscriptions) one.dispose();
  }
}

function uriOf({ capture, style, first }: Place): vscode.Uri {
  const title = `${capture.title.replace(/[^\w.-]/g, '_')} from ${first + 1}`;
  return vscode.Uri.from({ scheme: TRACE_SCHEME, path: `/${capture.id}/${style}/${first}/${title}.fusetrace` });
}

/** Place of the first one that is not less. */
function lowerBound(rows: ArrayLike<number>, row: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle] < row) low = middle + 1;
    else high = middle;
  }
  return low;
}
