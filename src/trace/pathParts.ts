/** A path as people look for it: the name that it ends with, and the folder that this is in. Pure. */

/** Folder and name of `/a/b`: `/a`, `b`; the folder is '' for what is in the root, or has none. */
export function pathParts(path: string): { readonly folder: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  if (slash < 0 || path === '/') return { folder: '', name: path };
  return { folder: path.slice(0, slash), name: path.slice(slash + 1) };
}
