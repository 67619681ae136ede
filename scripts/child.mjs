/**
 * Child processes of the scripts, always started in the project's folder: in the foreground, with the terminal's
 * signals handed on and a limit on their time.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

export const projectFolder = fileURLToPath(new URL('..', import.meta.url));

/** Ends the script with a message instead of a stack trace. */
export class Stop extends Error {
  constructor(exitCode, message) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The signal that told us to end, after which nothing more is started. */
let toldToEnd;

/**
 * Runs a program with our terminal. Resolves to its exit code, 128 + N when signal N ended it, 127 when it could not
 * be started, 124 when it was ended because `limitSeconds` had passed (then its children go as well). Rejects with a
 * Stop where a signal has ended the one before: who types Ctrl-C means the whole script. `write`: takes the chunks of
 * its output and errors, which then do not go to the terminal.
 */
export function run(program, args, { env = {}, limitSeconds = 0, write } = {}) {
  return new Promise((resolve, reject) => {
    if (toldToEnd) return reject(new Stop(128 + constants.signals[toldToEnd], `Ended by ${toldToEnd}.`));
    // The terminal sends SIGINT to the whole foreground group; a group of its own has to be told.
    const handOn = (name) => {
      toldToEnd = name;
      if (name !== 'SIGINT' || limitSeconds > 0) signal(name);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    // Before there is a child: what comes while it is started is not to end us and leave it behind.
    for (const name of signals) process.on(name, handOn);
    // With a limit the child gets a process group of its own, so that it can be ended with all that it has started.
    const child = spawn(program, args, {
      cwd: projectFolder,
      env: { ...process.env, ...env },
      stdio: write ? ['inherit', 'pipe', 'pipe'] : 'inherit',
      detached: limitSeconds > 0,
    });
    const signal = (name) => {
      if (child.pid === undefined) return;
      try {
        process.kill(limitSeconds > 0 ? -child.pid : child.pid, name);
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    };
    let late = false;
    const timers = [];
    if (limitSeconds > 0) {
      timers.push(
        setTimeout(() => {
          late = true;
          signal('SIGTERM');
          timers.push(setTimeout(() => signal('SIGKILL'), 5000));
        }, limitSeconds * 1000),
      );
    }
    const end = (code) => {
      timers.forEach(clearTimeout);
      for (const name of signals) process.off(name, handOn);
      resolve(code);
    };
    child.stdout?.on('data', write);
    child.stderr?.on('data', write);
    child.once('error', (error) => {
      console.error(`${program}: ${error.message}`);
      end(127);
    });
    child.once('exit', (code, by) => {
      if (late) signal('SIGKILL');
      const ended = () => end(late ? 124 : (code ?? 128 + constants.signals[by]));
      if (!write) return ended();
      // What it wrote last is still to come; but what it left running may hold the pipes open for as long as it likes.
      child.once('close', ended);
      timers.push(setTimeout(() => [child.stdout, child.stderr].forEach((pipe) => pipe.destroy()), 2000));
    });
  });
}
