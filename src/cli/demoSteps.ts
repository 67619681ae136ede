/**
 * What the demo does in the guest, step by step, and how the host finds out whether it was done right.
 *
 * A step is a shell script that runs in the guest's work folder, and a check that looks at the same folder on the host
 * and at what the script printed. Scripts run with `set -e`: whatever fails ends them with a status that is not 0.
 */
import {
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fingerprint, md5, sampleBytes } from './sampleTree';

export interface DemoStep {
  readonly title: string;
  /** Prepares the work folder on the host before the script runs. */
  readonly prepare?: (work: string) => void;
  readonly script: string;
  /** Something to look at on the host between two scripts, which belong to one step. */
  readonly meanwhile?: { readonly check: (work: string) => string | undefined; readonly then: string };
  /** What is wrong, as a sentence; undefined when all is as it should be. */
  readonly check: (work: string, printed: string) => string | undefined;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const LARGEST = 64 * MIB;
const SIZES = [0, 1, 4095, 4096, 4097, 100_000, MIB, 7 * MIB + 13, LARGEST];
const MANY = 5_000;
const SPARSE_SIZE = 5 * GIB;
const SPARSE_AT = 4.5 * GIB;

export const demoSteps: readonly DemoStep[] = [
  {
    title: 'list and walk a tree',
    script: 'ls -lR tree >/dev/null; find tree | sort',
    check: (work, printed) => {
      const inGuest = printed.trim().split('\n').length;
      const onHost = fingerprint(join(work, 'tree')).length;
      return inGuest === onHost ? undefined : `the guest found ${inGuest} names, the host has ${onHost}`;
    },
  },
  {
    title: 'copy it',
    script: 'cp -a tree copy',
    check: (work) => sameTrees(work, 'tree', 'copy'),
  },
  {
    title: 'tar and untar it',
    script: 'tar cf tree.tar tree; mkdir untarred; tar xf tree.tar -C untarred',
    check: (work) => sameTrees(work, 'tree', 'untarred/tree'),
  },
  {
    title: 'read files the host has written, compared by md5sum',
    prepare: (work) => {
      for (const size of SIZES) {
        writeFileSync(join(work, `from-host-${size}`), sampleBytes(size));
      }
    },
    script: 'md5sum from-host-*',
    check: (work, printed) => differentSums(work, printed, SIZES.length),
  },
  {
    title: 'write files of 0 bytes to 64 MiB, compared by md5sum',
    // The largest is a copy of what was read before: to make and sum it once more would take an emulated guest seconds.
    script: `mkdir written; cd written
for size in ${SIZES.filter((size) => size < LARGEST).join(' ')}; do
  dd if=/dev/urandom of=$size bs=1M count=$((size / ${MIB})) 2>/dev/null
  head -c $((size % ${MIB})) /dev/urandom >>$size
done; md5sum *; cp ../from-host-${LARGEST} ${LARGEST}`,
    check: (work, printed) => {
      const [copy, source] = ['written/', 'from-host-'].map((name) => md5(readFileSync(join(work, name + LARGEST))));
      const different = copy === source ? undefined : `the file of ${LARGEST} bytes is not the same on the host`;
      return different ?? differentSums(join(work, 'written'), printed, SIZES.length - 1);
    },
  },
  {
    title: 'rename files and folders',
    script: `mkdir names; cd names; echo one >a; echo two >b; mkdir d; echo three >d/c
mv a renamed; mv renamed b; mv d e; mv e/c moved; ! [ -e a ]; cat b moved`,
    check: (work, printed) =>
      printed === 'one\nthree\n' && readdirSync(join(work, 'names')).sort().join() === 'b,e,moved'
        ? undefined
        : `names/ has ${readdirSync(join(work, 'names')).join(', ')}; the guest read "${printed}"`,
  },
  {
    title: 'hard links and symbolic links',
    script: `mkdir links; cd links; echo linked >one; ln one two; ln -s one three; ln -s ../missing four
[ one -ef two ]; rm one; cat two; readlink three; readlink four; stat -c %h two`,
    check: (work, printed) => {
      const expected = 'linked\none\n../missing\n1\n';
      const target = readlinkSync(join(work, 'links/four'));
      const left = readdirSync(join(work, 'links')).sort().join();
      return printed === expected && target === '../missing' && left === 'four,three,two'
        ? undefined
        : `the guest printed "${printed}", four points to ${target}`;
    },
  },
  {
    title: 'truncate and append',
    script: `printf 0123456789 >cut; truncate -s 4 cut; truncate -s 8 cut; printf abc >>cut; printf def >>cut
md5sum <cut; stat -c %s cut`,
    check: (work) => {
      const content = readFileSync(join(work, 'cut'), 'latin1');
      return content === '0123\0\0\0\0abcdef' ? undefined : `the file holds ${JSON.stringify(content)}`;
    },
  },
  {
    title: 'a sparse file larger than 4 GiB',
    script: `truncate -s ${SPARSE_SIZE} sparse
printf here | dd of=sparse bs=64k seek=${SPARSE_AT / (64 * KIB)} conv=notrunc 2>/dev/null; sync
stat -c %s sparse; dd if=sparse bs=64k skip=${SPARSE_AT / (64 * KIB)} count=1 2>/dev/null | head -c 4`,
    check: (work, printed) => {
      const { size, blocks } = statSync(join(work, 'sparse'));
      const there = bytesAt(join(work, 'sparse'), SPARSE_AT, 4);
      if (size !== SPARSE_SIZE || there !== 'here' || printed !== `${SPARSE_SIZE}\nhere`) {
        return `${size} bytes, "${there}" at ${SPARSE_AT}; the guest printed "${printed}"`;
      }
      return blocks * 512 < MIB ? undefined : `it takes ${blocks * 512} bytes of disk: it is not sparse`;
    },
  },
  {
    title: `${MANY.toLocaleString('en')} files in one folder`,
    script: `mkdir many; cd many
awk 'BEGIN { for (i = 0; i < ${MANY}; i++) { name = "file-" i; printf "" >name; close(name) } }'
ls | wc -l`,
    check: (work, printed) => {
      const onHost = readdirSync(join(work, 'many')).length;
      return onHost === MANY && Number(printed) === MANY
        ? undefined
        : `the host has ${onHost}, the guest counts ${printed.trim()}`;
    },
  },
  lockStep('flock', /FLOCK/),
  lockStep('POSIX', /POSIX|OFDLCK/),
  {
    title: 'remove it all',
    script: 'rm -rf copy untarred tree.tar written from-host-* names links cut sparse many POSIX flock; ls',
    check: (work) => {
      const left = readdirSync(work).sort().join();
      return left === 'tree' ? undefined : `left: ${left}`;
    },
  },
];

/** One process holds a lock, a second is refused, the host's kernel knows, and afterwards it is free. */
function lockStep(kind: 'flock' | 'POSIX', onHost: RegExp): DemoStep {
  const program = `${kind.toLowerCase()}-lock ${kind}`;
  return {
    title: `${kind} locks: a second holder is refused, and the host sees the lock`,
    script: `: >${kind}; : >/tmp/hold
(while [ -e /tmp/hold ]; do usleep 10000; done) | ${program} >/tmp/first & 
while ! [ -s /tmp/first ]; do usleep 10000; done
status=0; ${program} </dev/null || status=$?; echo refused $status`,
    meanwhile: {
      check: (work) => lockOnHost(join(work, kind), onHost),
      then: `rm /tmp/hold; while ! ${program} </dev/null; do usleep 10000; done; rm /tmp/first`,
    },
    check: (_work, printed) => (printed === 'refused 11\nlocked\n' ? undefined : `the guest printed "${printed}"`),
  };
}

/** The kernel lists locks as "N: KIND ADVISORY WRITE PID MAJOR:MINOR:INODE START END". */
function lockOnHost(path: string, kind: RegExp): string | undefined {
  const inode = `:${lstatSync(path).ino} `;
  const locks = readFileSync('/proc/locks', 'utf8').split('\n');
  return locks.some((line) => line.includes(inode) && kind.test(line)) ? undefined : 'the host sees no such lock';
}

function sameTrees(work: string, one: string, two: string): string | undefined {
  const [first, second] = [one, two].map((path) => fingerprint(join(work, path)));
  const odd = first.find((line, index) => line !== second[index]);
  return odd === undefined && first.length === second.length ? undefined : `${one} and ${two} differ: ${odd ?? 'more'}`;
}

/** Compares the output of md5sum with the files on the host. */
function differentSums(folder: string, printed: string, count: number): string | undefined {
  const lines = printed.trim().split('\n');
  const wrong = lines.find((line) => {
    const [sum, name] = line.split('  ');
    return name === undefined || !existsSync(join(folder, name)) || md5(readFileSync(join(folder, name))) !== sum;
  });
  if (wrong !== undefined) {
    return `not the same on the host: ${wrong}`;
  }
  return lines.length === count ? undefined : `${lines.length} files where there should be ${count}`;
}

function bytesAt(path: string, position: number, length: number): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    readSync(file, bytes, 0, length, position);
    return bytes.toString('latin1');
  } finally {
    closeSync(file);
  }
}
