/**
 * Says why a guest probably did not come up, and what to do. Pure: reads only what the guest and QEMU have said.
 */
import type { TextTail } from './textTail';

export interface Symptoms {
  readonly kind: 'qemu' | 'uml';
  /** QEMU was told to use KVM. */
  readonly kvm: boolean;
  /** It took too long, its init script reported a failure, or the process ended. */
  readonly end: 'late' | 'failed' | 'ended';
  readonly reached: 'nothing' | 'init' | 'ready';
  /** What the init script reported, such as `mount work`. */
  readonly failed: readonly string[];
  /** Console and standard error together. */
  readonly log: TextTail;
}

export interface Diagnosis {
  readonly why: string;
  readonly remedy: string;
  /** The words in the log that gave it away. */
  readonly sign?: string;
  /** Of the log at most so many lines say something to a person. */
  readonly lines?: number;
}

interface Rule {
  readonly sign: string;
  readonly why: string;
  /** The line with the sign is part of the reason: `doctor` shows no other line. */
  readonly quoted?: boolean;
  readonly remedy: string;
  readonly lines?: number;
}

/** What QEMU itself says, among the lines of the console. */
const OWN_WORDS = /^(?:qemu-system-\S+: |KVM |error: kvm )/;

/** The line with the sign, after which come the processor's registers, and those before it. */
const UP_TO_SIGN = 4;

const WITHOUT_KVM = 'Leave out --accel kvm, or give --accel tcg: guests run emulated then, only slower.';

const SLOW =
  'A busy machine without KVM can be that slow: try again, give it longer with --boot-timeout=300, or use --guest uml.';

/** Words in the log, the most telling first. */
const rules: readonly Rule[] = [
  {
    sign: 'Could not access KVM kernel module',
    why: 'KVM is not usable',
    remedy: WITHOUT_KVM,
  },
  {
    sign: 'KVM internal error',
    why: 'KVM on this machine cannot run it',
    quoted: true,
    remedy: WITHOUT_KVM,
    lines: UP_TO_SIGN,
  },
  {
    sign: 'cannot set up guest memory',
    why: 'there is not enough memory for the guest',
    remedy: 'Give it less with --memory, or free some.',
  },
  {
    sign: 'Failed to initialize vhost-user',
    why: 'the front-end and the daemon did not agree',
    remedy: 'The daemon may have ended: see its own lines.',
  },
  {
    sign: 'is not a valid device model name',
    why: 'this QEMU has no vhost-user-fs device',
    remedy: 'Use QEMU 7.2 or later.',
  },
  { sign: 'could not load kernel', why: 'the kernel cannot be loaded', remedy: 'Check the file given with --kernel.' },
  {
    sign: 'linux kernel too old',
    why: 'the file given as kernel is not a Linux kernel for this machine',
    remedy: 'Check the file given with --kernel.',
  },
  {
    sign: 'No space left on device',
    why: 'there is no room for the guest’s memory',
    remedy: 'Make room in /dev/shm, or give the guest less with --memory.',
  },
  {
    sign: 'ptrace set fp regs failed',
    why: 'this User Mode Linux is too old for the processor (before 6.16 it does not know AMX)',
    remedy: 'Use --guest qemu, or remove the cache folder that "virtiofs-studio doctor" names to fetch a newer one.',
  },
  {
    sign: 'Kernel panic',
    why: 'the kernel of the guest stopped with a panic',
    remedy: 'The lines above name the reason; more memory (--memory) or another kernel (--kernel) may help.',
  },
  {
    sign: 'failed: No such device',
    why: "the guest's kernel has no virtio-fs built in, and no modules were found for it",
    remedy: 'Name a kernel whose modules are in lib/modules/RELEASE beside it, or leave --kernel out.',
  },
  {
    sign: "unknown filesystem type 'virtiofs'",
    why: "the guest's kernel has no virtio-fs",
    remedy: 'Choose another kernel with --kernel.',
  },
];

/** The likely reason in one line, and what to try. */
export function likelyReason(symptoms: Symptoms): Diagnosis {
  const what = headline(symptoms);
  // Before the words in the log: those of mount are the same as where virtio-fs is missing.
  if (symptoms.failed.some((what) => what.split(' ').includes('mount:records'))) {
    return {
      why: `${what}: its kernel has no hostfs, by which commands come to it`,
      remedy: 'Use --guest qemu, or a User Mode Linux that has hostfs built in.',
    };
  }
  const rule = rules.find((rule) => symptoms.log.includes(rule.sign));
  if (rule !== undefined) {
    const { sign, why, quoted, ...rest } = rule;
    const [line] = quoted ? symptoms.log.lines(Infinity).filter((line) => line.includes(sign)) : [];
    return { ...rest, sign, why: `${what}: ${why}${line === undefined ? '' : ` (${line.trim()})`}` };
  }
  if (symptoms.failed.length > 0) {
    return {
      why: `${what}: it could not ${symptoms.failed.join(', ')}`,
      remedy: 'The kernel of the guest may lack virtio-fs: choose another with --kernel.',
    };
  }
  if (symptoms.end === 'late' && symptoms.reached === 'nothing') {
    const own = symptoms.log.lines(Infinity).findLast((line) => OWN_WORDS.test(line));
    return {
      why: `${what}: ${own?.trim() ?? 'its kernel said nothing of having started'}`,
      remedy: symptoms.kvm ? WITHOUT_KVM : SLOW,
    };
  }
  if (symptoms.end === 'late') {
    return {
      why: `${what}: it started but is waiting for a mount`,
      remedy: 'The daemon does not answer: see its own lines.',
    };
  }
  return { why: what, remedy: 'The lines above are the last it said.' };
}

function headline({ kind, end }: Symptoms): string {
  const name = kind === 'uml' ? 'the User Mode Linux guest' : 'the guest in QEMU';
  if (end === 'late') {
    return `${name} did not come up in time`;
  }
  return end === 'failed' ? `${name} came up without its shares` : `${name} ended before it was ready`;
}
