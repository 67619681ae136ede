/** A path where there may be no room for it: its folder gives way, so that what differs from row to row is seen. */
import { pathParts } from '../../../trace/pathParts';
import { el } from './dom';

export function showPath(into: Element, path: string): void {
  if (into.textContent === path) return;
  const { folder } = pathParts(path);
  into.replaceChildren(
    el('span', { class: 'path-folder' }, folder),
    el('span', { class: 'path-name' }, path.slice(folder.length)),
  );
}
