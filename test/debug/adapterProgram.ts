/**
 * The debug adapter as a program of its own, over its standard input and output: `node adapterProgram.js DEBUG_SOCKET`.
 */
import { DebugAdapter } from '../../src/debug/adapter';
import { nowhere } from './dapLog';

const [, , debugSocket] = process.argv;
new DebugAdapter({ ...nowhere, findShare: () => ({ title: 'work', debugSocket }) }).start(
  process.stdin,
  process.stdout,
);
