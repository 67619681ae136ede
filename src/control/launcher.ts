/**
 * What a launcher (`virtiofs-studio share`) and an editor say to each other: JSON-RPC over a Unix socket on which the
 * editor listens, in a folder of its own that nobody else may enter, and to which `share --control PATH` connects.
 *
 * Owns the messages and the check of what comes in; both ends are typed by it. The launcher lives on when the editor
 * goes away: the guest is then just one in a terminal.
 */
import type { TroubleCode } from '../base/catalogue';
import { NotificationType, RequestType, RequestType0 } from 'vscode-jsonrpc/node';

/** How far a guest is. */
export type LauncherState =
  /** On its way: guest tools are fetched, KVM is tried, daemons start, the guest boots. */
  | { readonly kind: 'preparing'; readonly step: 'tools' | 'kvm' | 'daemons' | 'boot'; readonly text: string }
  | { readonly kind: 'up'; readonly release: string }
  /** It did not come up: an error of the catalogue. */
  | { readonly kind: 'failed'; readonly code: string; readonly text: string; readonly remedy: string }
  /** It has ended in order, or without asking (`status` then says how). */
  | { readonly kind: 'stopped'; readonly reason: 'asked' | 'guest'; readonly status: string };

export interface ProcessFacts {
  readonly pid: number;
  /** Its whole command line. */
  readonly argv: readonly string[];
}

export interface ShareFact {
  readonly tag: string;
  readonly directory: string;
  readonly readOnly: boolean;
  readonly mountPoint: string;
  /** What mounts it in any guest, as a shell line. */
  readonly mountCommand: string;
  readonly daemon: ProcessFacts;
  /** Where a capture of it is given to whoever connects. */
  readonly captureSocket: string;
  /** Where its counters are told: `counters.ts`. */
  readonly countersSocket: string;
}

/** What runs. Sent as soon as the processes are there, and anew after a restart. */
export interface LauncherFacts {
  readonly launcher: number;
  readonly kind: 'qemu' | 'uml';
  readonly accelerator: 'kvm' | 'tcg' | 'none';
  readonly guest: ProcessFacts;
  readonly shares: readonly ShareFact[];
}

/** Something is wrong with a share of a guest that runs. */
export interface ShareProblem {
  readonly tag: string;
  readonly code: string;
  readonly text: string;
  readonly remedy: string;
}

const beside: readonly string[] = ['captureStopped', 'mappedFileShortened'] satisfies TroubleCode[];

/** Whether the share answers its guest as before, and only something beside it is wrong. */
export function isServed({ code }: ShareProblem): boolean {
  return beside.includes(code);
}

export interface RestartRequest {
  /** Arguments of `share` for the next boot; without them the same ones again. */
  readonly words?: readonly string[];
}

export interface RunResult {
  readonly status: number;
  /** At most the last `MOST_OUTPUT` characters. */
  readonly output: string;
}

export const MOST_OUTPUT = 1 << 20;

export const stateChanged = new NotificationType<LauncherState>('launcher/state');
/** All daemons are there. The guest starts when this is answered, or the editor has gone. */
export const daemonsReady = new RequestType<{ readonly shares: readonly ShareFact[] }, null, void>('launcher/daemons');
export const factsKnown = new NotificationType<LauncherFacts>('launcher/facts');
export const shareTroubled = new NotificationType<ShareProblem>('launcher/problem');
/** The launcher is about to end: answered when everything before has been taken in. */
export const goodbye = new RequestType0<null, void>('launcher/goodbye');
/** Resolves when the guest has begun to stop. */
export const stopGuest = new RequestType0<null, void>('launcher/stop');
export const restartGuest = new RequestType<RestartRequest, null, void>('launcher/restart');
/** Runs a shell script in the guest, in the first share's folder. */
export const runInGuest = new RequestType<{ readonly script: string }, RunResult, void>('launcher/run');

// What comes over the socket is checked before it is believed.

type Json = Record<string, unknown>;

const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MOST_OUTPUT;
const isPid = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value > 0;
const areTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length <= 10_000 && value.every(isText);

/** Undefined for what is no state. */
export function checkedState(value: unknown): LauncherState | undefined {
  const { kind, step, text, release, code, remedy, reason, status } = object(value);
  if (kind === 'preparing' && isText(text)) {
    return step === 'tools' || step === 'kvm' || step === 'daemons' || step === 'boot'
      ? { kind, step, text }
      : undefined;
  }
  if (kind === 'up' && isText(release)) return { kind, release };
  if (kind === 'failed' && isText(code) && isText(text) && isText(remedy)) return { kind, code, text, remedy };
  if (kind === 'stopped' && (reason === 'asked' || reason === 'guest') && isText(status)) {
    return { kind, reason, status };
  }
  return undefined;
}

function checkedProcess(value: unknown): ProcessFacts | undefined {
  const { pid, argv } = object(value);
  return isPid(pid) && areTexts(argv) ? { pid, argv } : undefined;
}

function checkedShare(value: unknown): ShareFact | undefined {
  const { tag, directory, readOnly, mountPoint, mountCommand, captureSocket, countersSocket, ...rest } = object(value);
  const daemon = checkedProcess(rest['daemon']);
  return isText(tag) &&
    isText(directory) &&
    typeof readOnly === 'boolean' &&
    isText(mountPoint) &&
    isText(mountCommand) &&
    isText(captureSocket) &&
    isText(countersSocket) &&
    daemon !== undefined
    ? { tag, directory, readOnly, mountPoint, mountCommand, daemon, captureSocket, countersSocket }
    : undefined;
}

/** Undefined for what are no facts. */
export function checkedFacts(value: unknown): LauncherFacts | undefined {
  const { launcher, kind, accelerator, guest } = object(value);
  const process = checkedProcess(guest);
  if (!isPid(launcher) || (kind !== 'qemu' && kind !== 'uml') || process === undefined) return undefined;
  if (accelerator !== 'kvm' && accelerator !== 'tcg' && accelerator !== 'none') return undefined;
  const checked = checkedShares(value);
  return checked && { launcher, kind, accelerator, guest: process, shares: checked };
}

/** The shares of facts, or of daemons that are ready. Undefined for what are none. */
export function checkedShares(value: unknown): readonly ShareFact[] | undefined {
  const { shares } = object(value);
  if (!Array.isArray(shares) || shares.length > 1000) return undefined;
  const checked = shares.map(checkedShare);
  return checked.every((share) => share !== undefined) ? checked : undefined;
}

/** Undefined for what is no problem of a share. */
export function checkedProblem(value: unknown): ShareProblem | undefined {
  const { tag, code, text, remedy } = object(value);
  return isText(tag) && isText(code) && isText(text) && isText(remedy) ? { tag, code, text, remedy } : undefined;
}

/** Undefined for what is no request to restart. */
export function checkedRestart(value: unknown): RestartRequest | undefined {
  const { words } = object(value);
  if (words === undefined) return {};
  return areTexts(words) ? { words } : undefined;
}

/** Undefined for what names no script. */
export function checkedScript(value: unknown): string | undefined {
  const { script } = object(value);
  return isText(script) && script.length > 0 ? script : undefined;
}
