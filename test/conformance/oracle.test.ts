/**
 * The list on other people's daemons, as an oracle: where they and we agree, the case is right; where not, the table
 * says why. What is not in a table behaves as ours does.
 */
import { need } from '../support/need';
import { type DaemonKind, usePeers, whyMissing } from '../driver/daemons';
import { openDaemon } from './places';
import { features, runCases } from './runCases';
import type { Feature } from './case';

interface Oracle {
  readonly kind: DaemonKind;
  readonly name: string;
  readonly arguments: readonly string[];
  /** What it does not have at all: the cases that need it are left out. */
  readonly lacks: Readonly<Partial<Record<Feature, string>>>;
  readonly differences: Readonly<Record<string, string>>;
}

const KILLPRIV = 'it does not agree to HANDLE_KILLPRIV_V2 by default: nobody clears the bits';
const NO_WAIT = 'it answers EOPNOTSUPP to a lock that would wait';
const GETLK = 'it answers EINVAL to GETLK: it gives the host the pid of the guest, where an OFD lock takes none';
const APPENDING = 'it opens with O_APPEND on the host, and what a WRITE says of itself it does not read';
const noFlags = 'a tmpfs of this kernel has no file flags';
const noTmpfile = 'it does not know TMPFILE; the guest makes a name and removes it again';

const oracles: readonly Oracle[] = [
  {
    kind: 'rust',
    name: "Debian's Rust virtiofsd",
    arguments: [
      ...['--sandbox', 'none', '--seccomp', 'none', '--cache', 'never', '--xattr'],
      // trusted.* needs the capability, which it gives up unless told otherwise.
      '--modcaps=+sys_admin',
    ],
    lacks: {
      fileFlags: noFlags,
      tmpfile: noTmpfile,
      posixLocks: 'it has no locks; the guest keeps them to itself, unseen by other guests and the host',
      flock: 'likewise',
    },
    differences: {
      'a write by another user drops set-user-ID and set-group-ID': KILLPRIV,
      'a truncate by another user drops them too': KILLPRIV,
      'and so does O_TRUNC': KILLPRIV,
    },
  },
  {
    kind: 'c',
    name: 'the C virtiofsd of QEMU 7.2',
    arguments: ['-o', 'sandbox=chroot,cache=none,xattr,posix_lock,flock,readdirplus,modcaps=+sys_admin'],
    lacks: { fileFlags: noFlags, tmpfile: noTmpfile },
    differences: {
      'POSIX ACLs are refused: whoever checks modes only would let the wrong users in': 'it passes them through',
      'O_APPEND set later holds from then on': APPENDING,
      'O_APPEND taken away does not hold any more': APPENDING,
      'what is stored is at its place in a file that is open for appending': APPENDING,
      'a member of a folder’s group makes things in it':
        'the guest has no way to tell it the group, and it checks again',
      'F_GETLK shows the lock in the way': GETLK,
      'locks of one type that touch are one, of two types are not': GETLK,
      'locks up to the last place that a file can have, exact to the byte': GETLK,
      'a process that ends drops its locks': NO_WAIT,
      'F_SETLKW waits until the lock is free': NO_WAIT,
      'one that waits does not hinder the others': NO_WAIT,
      'flock keeps others out': NO_WAIT,
      'shared flocks': NO_WAIT,
      'flock belongs to the open file, not to the process': NO_WAIT,
      'closing drops the flock': NO_WAIT,
      'flock waits until the lock is free': NO_WAIT,
      'a write by another user drops set-user-ID and set-group-ID': KILLPRIV,
      'a truncate by another user drops them too': KILLPRIV,
      'and so does O_TRUNC': KILLPRIV,
    },
  },
];

for (const oracle of oracles) {
  describe(`conformance: ${oracle.name}`, () => {
    before(async function () {
      this.timeout(180_000);
      await usePeers((line) => console.log(`      ${line}`));
      need(this, oracle.name, whyMissing(oracle.kind) === undefined, whyMissing(oracle.kind) ?? '');
      need(this, 'root', process.getuid?.() === 0, 'the cases change users');
    });
    runCases({
      name: oracle.name,
      features: features(...(Object.keys(oracle.lacks) as Feature[])),
      differences: oracle.differences,
      open: () => openDaemon(oracle.kind, { arguments: oracle.arguments }),
    });
  });
}
