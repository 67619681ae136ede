/**
 * The daemon process: reads its options, listens, starts the queue worker, looks after it, ends.
 *
 * Serves one front-end and ends when it goes, as virtiofsd does: 0 then, 2 for wrong options, 3 when the machine lacks
 * something, 4 for a failure. Never touches a request.
 */
import { statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { Trouble, trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { isReaderGone, outputTrouble } from '../base/outputFault';
import { VERSION } from '../base/version';
import { checkCaptureName, checkCaptureTarget } from '../control/captureTarget';
import { problemLine } from '../control/problemLines';
import { eventfd, signal } from '../native/descriptors';
import { leave, limitDescriptors } from '../native/process';
import { errnoReason } from '../protocol/errno';
import { quote } from '../protocol/text';
import type { BlockingWorkerData } from './blockingWorker';
import { compileForRequests } from './compiler';
import { CounterBoard } from './counterBoard';
import { CounterLines } from './counterLines';
import { type DaemonOptions, LOG_LEVELS, type LogLevel } from './daemonOptions';
import { DebugServer } from './gate/debugServer';
import { listen } from './listening';
import { parseOptions } from './options';
import type { QueueWorkerData, QueueWorkerMessage } from './queueWorker';
import { SlowCallBoard } from './slowCalls';
import { Tracing } from './trace/tracing';

const DEFAULT_NOFILE = 1_000_000;
/** With fewer open files the daemon itself may run out of them, and not only the guest. */
const LEAST_NOFILE = 192;
/** Threads for slow calls: enough that a slow fsync and a cold read do not wait for each other. */
const BLOCKING_WORKERS = 4;
/** After a signal: how long the queue worker may take to end. */
const PATIENCE = 2000;

function run(options: DaemonOptions): void {
  const log = logger(options.logLevel);
  const quitFd = eventfd();
  // Before anything is made that has to be taken away again. What they do waits until all below is there.
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(name, () => {
      signal(quitFd);
      const forced = (): void => {
        log('warn', 'the queue worker has not come to an end: the daemon ends without it');
        end();
      };
      setTimeout(forced, PATIENCE).unref();
    });
  }
  const listening = listen(options);
  // Also where the rest refuses to start.
  process.once('exit', () => listening.remove());
  raiseDescriptorLimit(options, log);
  const doneFd = eventfd();
  const board = new SlowCallBoard();
  const wantsLines = LOG_LEVELS.indexOf(options.logLevel) >= LOG_LEVELS.indexOf('debug');
  const line = wantsLines ? (text: string): void => log('debug', text) : undefined;
  const troubled = problemTeller(options, log);
  const tracing = new Tracing(options, (text) => log('warn', text), troubled, line);
  const { trace } = tracing;

  const counters = new CounterBoard(options.queues + 1);
  const counterLines = new CounterLines(counters);
  if (options.liveTrace) counterLines.listen();

  const commandFd = eventfd();
  const { port1, port2 } = new MessageChannel();
  // The queue worker alone keeps the process alive.
  port1.unref();
  const debug = new DebugServer(port1, () => signal(commandFd));
  if (options.debug) debug.listen((why) => log('warn', `no debugger can connect: ${why}`));
  const workerData: QueueWorkerData = {
    options,
    listenFd: listening.fd,
    quitFd,
    doneFd,
    board: board.block,
    counters: counters.block,
    trace,
    debug: { port: port2, commandFd },
  };
  compileForRequests();
  const worker = new Worker(join(__dirname, 'queueWorker.js'), { workerData, transferList: [port2] });
  let outcome = 0;
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    listening.remove();
    counterLines.close();
    const farewell = debug.close(outcome === 0 ? 'The share is over.' : 'The daemon has failed.');
    const { capture } = options;
    if (capture !== undefined) {
      const served = counters.read().queues.reduce((sum, { taken }) => sum + taken, 0);
      log('info', `${served} requests served; capture: ${quote(capture)}`);
    }
    void Promise.all([tracing.end(), farewell]).then(() => leave(outcome));
  };
  const failed = (error: Error): void => {
    log('error', error.stack ?? error.message);
    outcome = fail(trouble('unexpected', error.message));
    if (over) leave(outcome);
    end();
  };
  worker.on('message', (message: QueueWorkerMessage) => {
    if (message.kind === 'log') {
      log(message.level, message.text);
      debug.log(message.level, message.text);
    } else if (message.kind === 'debugAnswer' || message.kind === 'debugEvent') debug.news(message);
    else if (message.kind === 'startSlowCalls') startBlockingWorkers({ board: board.block, doneFd }, failed);
    else if (message.kind === 'shortened') troubled(trouble('mappedFileShortened', message.text));
    else if (message.kind === 'session') tracing.answered(message);
    else {
      if (message.failure !== undefined)
        outcome = fail(trouble('sharedDirUnusable', options.sharedDir, errnoReason(message.failure)));
      end();
    }
  });
  worker.on('error', failed);
  // Node's own way out would wait for the queue worker, which waits for the guest.
  process.on('uncaughtException', failed);
  log('info', `sharing ${options.sharedDir}, waiting for a front-end`);
}

/** Who started the daemon hears of a problem where it wants to, else it is in the log. */
function problemTeller({ problemsFd }: DaemonOptions, log: Log): (problem: Trouble) => void {
  if (problemsFd === undefined) {
    return ({ message, code, remedy }) => log('error', `${message} [${code}]\n  ${remedy}`);
  }
  return (problem) => {
    try {
      // At once: the daemon may be about to end.
      writeSync(problemsFd, problemLine(problem));
    } catch (error) {
      log('error', `a problem could not be told (${String(error)}): ${problem.message}`);
    }
  };
}

function startBlockingWorkers(workerData: BlockingWorkerData, failed: (error: Error) => void): void {
  for (let index = 0; index < BLOCKING_WORKERS; index++) {
    new Worker(join(__dirname, 'blockingWorker.js'), { workerData }).on('error', failed);
  }
}

function raiseDescriptorLimit(options: DaemonOptions, log: Log): void {
  if (options.rlimitNofile === 0) return;
  const wanted = options.rlimitNofile ?? DEFAULT_NOFILE;
  const got = limitDescriptors(Math.max(wanted, LEAST_NOFILE));
  if (wanted < LEAST_NOFILE) log('warn', `${got} open files are allowed: ${wanted} would be too few`);
  if (options.rlimitNofile !== undefined && got < wanted) {
    log('warn', `only ${got} open files are allowed instead of ${wanted}`);
  }
}

type Log = (level: LogLevel, text: string) => void;

function logger(limit: LogLevel): Log {
  const most = LOG_LEVELS.indexOf(limit);
  return (level, text) => {
    if (LOG_LEVELS.indexOf(level) <= most) process.stderr.write(`${level}: ${text}\n`);
  };
}

function folderFault(folder: string): string | undefined {
  try {
    return statSync(folder).isDirectory() ? undefined : 'not a folder';
  } catch (error) {
    if (folder.includes('\uFFFD')) return 'its name has bytes that are no UTF-8, and cannot be passed on as it is';
    return systemReason(error) ?? String(error);
  }
}

/** Of a descriptor that was handed over: a write of nothing asks whether there could be one. */
function writingFault(fd: number): string | undefined {
  try {
    writeSync(fd, new Uint8Array());
    return undefined;
  } catch (error) {
    return systemReason(error) ?? String(error);
  }
}

function fail(problem: Trouble): number {
  process.stderr.write(`${problem.toString()}\n`);
  return problem.exitCode;
}

function main(argv: readonly string[]): void {
  const parsed = parseOptions(argv, VERSION);
  if (parsed.kind === 'print') {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (!isReaderGone(error, process.stdout)) process.exitCode = fail(outputTrouble(error));
    });
    process.stdout.write(`${parsed.text}\n`);
    return;
  }
  if (parsed.kind === 'refused') {
    process.exitCode = fail(parsed.trouble);
    return;
  }
  const log = logger(parsed.options.logLevel);
  for (const notice of parsed.notices) log('info', notice);
  const { sharedDir, capture, captureLimit, readonly, traceFd, problemsFd } = parsed.options;
  try {
    const fault = folderFault(sharedDir);
    if (fault !== undefined) throw trouble('sharedDirUnusable', sharedDir, fault);
    // Before there is a socket: nobody is to connect to a daemon that ends at once.
    if (capture !== undefined) {
      checkCaptureName(capture);
      checkCaptureTarget(capture, captureLimit !== undefined, readonly ? [] : [sharedDir]);
    }
    for (const [option, fd] of [
      ['--trace-fd', traceFd],
      ['--problems-fd', problemsFd],
    ] as const) {
      const why = fd === undefined ? undefined : writingFault(fd);
      if (why !== undefined) throw trouble('descriptorUnusable', `${option}=${fd}`, why);
    }
    if (process.geteuid?.() !== 0) {
      log('info', 'not root: new files belong to the user who runs this, whoever makes them in the guest');
    }
    run(parsed.options);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    process.exitCode = fail(error);
  }
}

// Whoever read our log may go; the share goes on.
process.stderr.on('error', () => undefined);
main(process.argv.slice(2));
