/**
 * A path as people write it, with `~` for what lies in their home folder. To be shown only: no system call takes it.
 */
export function homePath(path: string, home: string): string {
  if (home === '' || home === '/') return path;
  return path === home ? '~' : path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
