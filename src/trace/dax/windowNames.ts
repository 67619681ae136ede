/** What files in the window are called: after the request's path, or else as the writer has noted it. */
import { printId } from '../../protocol/print';
import type { Capture } from '../capture';
import type { NodeNumber } from '../nodeNumbers';

/** For a nodeid and an index into `Capture.path` (0: unknown) a path, or else the nodeid in words. */
export function fileNames(capture: Capture): (nodeid: NodeNumber, path: number) => string {
  let noted: Map<NodeNumber, string> | undefined;
  return (nodeid, path) => {
    const known = path > 0 ? capture.path(path) : '';
    if (known !== '') return known;
    if (!noted) {
      noted = new Map();
      for (const note of capture.windowNotes ?? []) if (note.path !== '') noted.set(note.nodeid, `/${note.path}`);
    }
    return noted.get(nodeid) ?? `node ${printId(nodeid)}`;
  };
}
