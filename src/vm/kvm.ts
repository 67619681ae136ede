/**
 * Finds out whether KVM works here, by booting a kernel with it: where the processor's help is missing or half
 * emulated, `/dev/kvm` opens all the same and guests hang. The answer is kept until the machine boots again.
 */
import { accessSync, constants, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Trouble } from '../base/catalogue';
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

interface Kept extends KvmAnswer {
  /** What the answer holds for: this boot, this user, these programs. */
  readonly key: string;
}

/** Of the file in the cache. */
const NAME = 'kvm.json';
/** A guest that boots at all with KVM does so in a second or two. */
const PROBE_TIMEOUT_MS = 10_000;

/**
 * The kept answer, or a new one after a boot of at most 10 seconds. Never rejects for a KVM that does not work; when
 * `signal` ends the boot there is no answer, and it rejects.
 */
export async function probeKvm(
  tools: Toolbox,
  progress: (line: string) => void = () => {},
  signal?: AbortSignal,
): Promise<KvmAnswer> {
  if (!existsSync('/dev/kvm')) {
    return { works: false, why: 'there is no /dev/kvm (no virtualization support, or switched off)' };
  }
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return { works: false, why: '/dev/kvm may not be opened by this user (see group "kvm")' };
  }
  const cache = cacheFolder();
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const key = [bootId, process.getuid?.(), tools.qemu?.join(' '), tools.kernel?.image].join(' ');
  const kept = cache === undefined ? undefined : readKept(cache);
  if (kept?.key === key) {
    return kept;
  }
  progress('trying whether KVM works (once until the next reboot of this machine)');
  const answer = await bootOnce(tools, signal);
  if (cache !== undefined) keep(cache, { ...answer, key }, progress);
  return answer;
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

/** A file that cannot be read or understood is no answer: the next probe writes it anew. */
function readKept(cache: string): Kept | undefined {
  try {
    return JSON.parse(readFileSync(join(cache, NAME), 'utf8')) as Kept;
  } catch {
    return undefined;
  }
}
