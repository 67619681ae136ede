/** A program of the host that runs beside an attack, until it is told to end. */
import { spawn } from 'node:child_process';

/** Runs a shell script in a folder; the result ends it and waits for that. */
export function runBeside(script: string, folder: string): () => Promise<void> {
  const child = spawn('sh', ['-c', script], { cwd: folder, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}
