/** Writes rows of a capture into a file that the person names, in the format that they pick. */
import { createReadStream } from 'node:fs';
import * as vscode from 'vscode';
import { Trouble, trouble } from '../../base/catalogue';
import { VERSION } from '../../base/version';
import { chromeTrace } from '../../trace/export/chrome';
import { csv } from '../../trace/export/csv';
import { jsonLines } from '../../trace/export/jsonl';
import { FilteredCapture } from '../../trace/export/pcapng';
import { showTrouble } from '../troubleMessage';
import type { CaptureSource } from './captureSource';
import { writeExport } from './exportFile';
import { checked, rowsAsNow } from './rowsAsNow';

interface Format extends vscode.QuickPickItem {
  readonly extension: string;
  /** What the dialog adds to a name that ends otherwise, where that is less. */
  readonly least?: string;
  pieces(source: CaptureSource, rows: Uint32Array): Iterable<string> | AsyncIterable<Uint8Array>;
}

const formats: readonly Format[] = [
  {
    label: '$(file-binary) Capture',
    description: '.fuse.pcapng',
    detail: 'The packets of these requests as they are; opens here and in Wireshark.',
    extension: 'fuse.pcapng',
    // VS Code looks only at what is behind the last dot.
    least: 'pcapng',
    pieces: filteredPackets,
  },
  {
    label: '$(graph) Chrome trace',
    description: '.json',
    detail: 'Opens in Perfetto and chrome://tracing.',
    extension: 'json',
    pieces: ({ capture }, rows) => chromeTrace(capture, rows),
  },
  {
    label: '$(json) JSON lines',
    description: '.jsonl',
    detail: 'One decoded request a line, every field.',
    extension: 'jsonl',
    pieces: ({ capture }, rows) => jsonLines(capture, rows),
  },
  {
    label: '$(table) CSV',
    description: '.csv',
    detail: 'For spreadsheets.',
    extension: 'csv',
    pieces: ({ capture }, rows) => csv(capture, rows),
  },
];

async function* filteredPackets(source: CaptureSource, rows: Uint32Array): AsyncIterable<Uint8Array> {
  if (source.path === undefined) return;
  const filtered = new FilteredCapture(source.capture, rows, `virtiofs-studio ${VERSION}`);
  for await (const chunk of createReadStream(source.path)) yield* filtered.push(chunk as Buffer);
}

export async function exportRows(
  source: CaptureSource,
  rows: Uint32Array,
  near: vscode.Uri | undefined,
): Promise<void> {
  if (rows.length === 0) {
    void vscode.window.showWarningMessage('No request is shown, so there is nothing to export.');
    return;
  }
  const check = rowsAsNow(source);
  const offered = formats.filter(({ extension }) => extension !== 'fuse.pcapng' || source.path !== undefined);
  const title = `Export ${rows.length.toLocaleString('en')} ${rows.length === 1 ? 'request' : 'requests'}`;
  const format = await vscode.window.showQuickPick(offered, { title, placeHolder: 'Format', matchOnDetail: true });
  if (!format) return;
  const stem = source.state().title.replace(/(\.fuse)?\.pcapng$/, '');
  const name = `${stem}-export.${format.extension}`;
  const target = await vscode.window.showSaveDialog({
    title,
    ...(near && { defaultUri: vscode.Uri.joinPath(near, '..', name) }),
    filters: { [format.label.replace(/^\$\(.*?\) /, '')]: [format.least ?? format.extension] },
  });
  if (!target) return;
  if (target.scheme !== 'file') {
    void vscode.window.showErrorMessage('An export is written to a file on the machine that the extension runs on.');
    return;
  }
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  try {
    const whole = await vscode.window.withProgress(options, (_progress, token) => {
      const pieces: Iterable<string | Uint8Array> | AsyncIterable<Uint8Array> = format.pieces(source, rows);
      return writeExport(target.fsPath, checked(pieces, check), () => token.isCancellationRequested);
    });
    if (!whole) return;
  } catch (error) {
    const { message, remedy } = error instanceof Trouble ? error : trouble('unexpected', String(error));
    return showTrouble(message, remedy);
  }
  const answer = await vscode.window.showInformationMessage(`Exported to ${target.fsPath}`, 'Open');
  if (answer) await vscode.commands.executeCommand('vscode.open', target);
}
