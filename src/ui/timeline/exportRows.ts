/** Writes rows of a capture into a file that the person names, in the format that they pick. */
import * as vscode from 'vscode';
import { Trouble, trouble } from '../../base/catalogue';
import { VERSION } from '../../base/version';
import { chromeTrace } from '../../trace/export/chrome';
import { csv } from '../../trace/export/csv';
import { jsonLines } from '../../trace/export/jsonl';
import { filteredCapture, firstKeptRow } from '../../trace/export/pcapng';
import type { CapturePackets } from '../../trace/packets';
import { requestsText } from '../../trace/countText';
import { showError, showInformation, showWarning } from '../messages';
import { showTrouble } from '../troubleMessage';
import type { CaptureSource } from './captureSource';
import { exportedText, writeExport } from './exportFile';
import { checked, rowsAsNow } from './rowsAsNow';

interface Format extends vscode.QuickPickItem {
  readonly extension: string;
  /** What the dialog adds to a name that ends otherwise, where that is less. */
  readonly least?: string;
  pieces(capture: CapturePackets, rows: Uint32Array): Iterable<string | Uint8Array>;
}

const formats: readonly Format[] = [
  {
    label: '$(file-binary) Capture',
    description: '.fuse.pcapng',
    detail: 'The packets of these requests as they are; opens here and in Wireshark.',
    extension: 'fuse.pcapng',
    // VS Code looks only at what is behind the last dot.
    least: 'pcapng',
    pieces: (capture, rows) => filteredCapture(capture, rows, `virtiofs-studio ${VERSION}`),
  },
  {
    label: '$(graph) Chrome trace',
    description: '.json',
    detail: 'Opens in Perfetto and chrome://tracing.',
    extension: 'json',
    pieces: chromeTrace,
  },
  {
    label: '$(json) JSON lines',
    description: '.jsonl',
    detail: 'One decoded request a line, every field.',
    extension: 'jsonl',
    pieces: jsonLines,
  },
  {
    label: '$(table) CSV',
    description: '.csv',
    detail: 'For spreadsheets.',
    extension: 'csv',
    pieces: csv,
  },
];

/** How many of these rows of a live capture cannot be in one that is made of them. */
function notKept(capture: CapturePackets, rows: Uint32Array): number {
  const first = firstKeptRow(capture);
  return rows.reduce((sum, row) => (row < first ? sum + 1 : sum), 0);
}

export async function exportRows(
  source: CaptureSource,
  rows: Uint32Array,
  near: vscode.Uri | undefined,
): Promise<void> {
  if (rows.length === 0) {
    void showWarning('No request is shown, so there is nothing to export.');
    return;
  }
  const check = rowsAsNow(source);
  const title = `Export ${requestsText(rows.length)}`;
  const format = await vscode.window.showQuickPick(formats, {
    title,
    placeHolder: 'Format',
    matchOnDescription: true,
    matchOnDetail: true,
  });
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
    void showError('An export is written to a file on the machine that the extension runs on.');
    return;
  }
  const gone = format.extension === 'fuse.pcapng' ? notKept(source.capture, rows) : 0;
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  try {
    const whole = await vscode.window.withProgress(options, (_progress, token) => {
      const pieces = checked(format.pieces(source.capture, rows), check);
      return writeExport(target.fsPath, pieces, () => token.isCancellationRequested);
    });
    if (!whole) return;
  } catch (error) {
    const { message, remedy } = error instanceof Trouble ? error : trouble('unexpected', String(error));
    return showTrouble(message, remedy);
  }
  const answer = await showInformation(exportedText(rows.length, gone, target.fsPath), 'Open');
  if (answer) await vscode.commands.executeCommand('vscode.open', target);
}
