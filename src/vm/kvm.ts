/**
 * Finds out whether KVM works here, by booting a kernel with it: where the processor's help is missing or half
 * emulated, `/dev/kvm` opens all the same and guests hang. The answer is kept until the machine boots again, and is
 * what every command goes by and says.
 */
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Trouble, trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { cacheFolder, makeFolder } from './cacheFolder';
import { startGuest } from './launcher';
import type { Toolbox } from './toolbox';
import { Workplace } from './workplace';

export interface KvmAnswer {
  readonly works: boolean;
  /** Why not, or how it was found to work. */
  readonly why: string;
}

/** Answers since the machine has booted, each for a user and what it was tried with. */
interface Kept {
  readonly boot: string;
  readonly answers: { readonly [key: string]: KvmAnswer };
}

/** Why not, where this user lacks a permission. */
export const KVM_FORBIDDEN = '/dev/kvm may not be opened by this user';
/** Of the file in the cache. */
const NAME = 'kvm.json';
/** A guest that boots at all with KVM does so in a second or two. */
const PROBE_TIMEOUT_MS = 10_000;

/**
 * The kept answer, or a new one after a boot of at most 10 seconds; with `again` an answer that it does not work is
 * doubted. Never rejects for a KVM that does not work; when `signal` ends the boot there is no answer, and it rejects.
 */
export async function probeKvm(
  tools: Toolbox,
  progress: (line: string) => void = () => {},
  signal?: AbortSignal,
  again = false,
): Promise<KvmAnswer> {
  if (!existsSync('/dev/kvm')) {
    return { works: false, why: 'there is no /dev/kvm (no virtualization support, or switched off)' };
  }
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return { works: false, why: KVM_FORBIDDEN };
  }
  const cache = cacheFolder();
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const key = keyOf(tools);
  const kept = cache === undefined ? undefined : readKept(cache, bootId).answers[key];
  if (kept !== undefined && (kept.works || !again)) return kept;
  progress(`trying whether KVM works${again ? '' : ' (once until the next reboot of this machine)'}`);
  const answer = await bootOnce(tools, signal);
  // Others may have been kept meanwhile.
  if (cache !== undefined) {
    keep(cache, { boot: bootId, answers: { ...readKept(cache, bootId).answers, [key]: answer } }, progress);
  }
  return answer;
}

/** Throws a Trouble where KVM was asked for and does not work. */
export async function needKvm(
  tools: Toolbox,
  progress: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { works, why } = await probeKvm(tools, progress, signal, true);
  if (!works) throw trouble('kvmUnusable', why);
}

/** One toolbox has one key, by whatever way its folder is reached: HOME may lead there over a link. */
function keyOf({ folder, qemu, kernel }: Toolbox): string {
  const programs = folder === undefined ? [qemu?.join(' '), kernel?.image] : [realpathSync(folder)];
  return [process.getuid?.(), ...programs].join(' ');
}

/** Where nothing can be kept, the next run tries again: that costs it a few seconds. */
function keep(cache: string, kept: Kept, progress: (line: string) => void): void {
  const file = join(cache, NAME);
  const fresh = `${file}.${process.pid}`;
  try {
    makeFolder(cache);
    try {
      writeFileSync(fresh, JSON.stringify(kept));
      renameSync(fresh, file);
    } finally {
      rmSync(fresh, { force: true });
    }
  } catch (error) {
    const why = systemReason(error);
    if (why === undefined) throw error;
    progress(`the answer about KVM is not kept in ${cache}: ${why}`);
  }
}

async function bootOnce(tools: Toolbox, signal: AbortSignal | undefined): Promise<KvmAnswer> {
  const workplace = await Workplace.open();
  const end = (): void => void workplace.close();
  signal?.addEventListener('abort', end);
  try {
    signal?.throwIfAborted();
    const options = { tools, shares: [], memoryMiB: 256, cpus: 1, bootTimeoutMs: PROBE_TIMEOUT_MS };
    const guest = await startGuest({ kind: 'qemu', accelerator: 'kvm', ...options }, workplace);
    await guest.stop();
    return { works: true, why: 'a guest boots with it' };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Trouble && error.code === 'guestNotUp') {
      return {
        works: false,
        why: `/dev/kvm opens, but a guest does not boot with it: ${error.message.split('\n')[0]}`,
      };
    }
    throw error;
  } finally {
    signal?.removeEventListener('abort', end);
    await workplace.close();
  }
}

/** Of a file that cannot be read or understood, or is of another boot, nothing: the next probe writes it anew. */
function readKept(cache: string, boot: string): Kept {
  try {
    const kept: unknown = JSON.parse(readFileSync(join(cache, NAME), 'utf8'));
    if (isKept(kept) && kept.boot === boot) return kept;
  } catch (error) {
    if (!(error instanceof SyntaxError) && systemReason(error) === undefined) throw error;
  }
  return { boot, answers: {} };
}

function isKept(kept: unknown): kept is Kept {
  const { boot, answers } = (kept ?? {}) as Partial<Kept>;
  if (typeof boot !== 'string' || typeof answers !== 'object' || answers === null) return false;
  return Object.values(answers).every(
    (answer: Partial<KvmAnswer> | null) => typeof answer?.works === 'boolean' && typeof answer.why === 'string',
  );
}
