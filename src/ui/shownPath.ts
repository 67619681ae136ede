/** Paths of this machine in views and lists, as VS Code itself shows them. */
import { homedir } from 'node:os';
import { homePath } from '../base/homePath';

export const shownPath = (path: string): string => homePath(path, homedir());
