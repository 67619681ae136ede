/** As the daemon's options are when nothing is said. */
import type { FuseOptions } from '../../src/fuse/options';

export const defaultFuseOptions: FuseOptions = {
  cache: 'auto',
  writeback: false,
  readdirplus: true,
  posixLocks: true,
  flock: true,
  killpriv: true,
  announceSubmounts: true,
  allowMmap: false,
};
