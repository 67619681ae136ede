/** Compares two capture files on a thread of its own: it takes seconds that the extension host does not have. */
import { parentPort, workerData } from 'node:worker_threads';
import { CaptureFiles } from '../../control/captureFiles';
import { comparisonOf } from './comparison';
import { FileCapture } from './fileCapture';

async function compare(paths: readonly [string, string]): Promise<void> {
  const captures = paths.map((path) => new FileCapture(path, new CaptureFiles(path), path));
  await Promise.all(captures.map(({ done }) => done));
  parentPort?.postMessage(comparisonOf(captures[0].capture, captures[1].capture));
}

void compare(workerData as [string, string]);
