/**
 * Every finding in one place: its code, what to call it, how bad it is, what it means and what to do.
 *
 * Owns the wording that is the same each time; the numbers are in a finding's text, and how it is decided is in its own
 * file and in docs/findings.md. The order is that in which findings are shown within one severity.
 */

/** error: something fails. warning: results or speed are not what a person expects. info: worth knowing. */
export type Severity = 'error' | 'warning' | 'info';

export interface FindingRow {
  readonly title: string;
  /** Unless a finding's numbers make it another. */
  readonly severity: Severity;
  readonly means: string;
  readonly remedy: string;
}

const row = (severity: Severity, title: string, means: string, remedy: string): FindingRow =>
  Object.freeze({ severity, title, means, remedy });

export const findingTable = Object.freeze({
  'requests-in-flight': row(
    'error',
    'requests were never answered',
    'A guest program that waits for a reply cannot be killed (state D). These requests had waited for seconds when the capture ended.',
    'Look at what the host was doing for the oldest one (a slow disk, a network mount, a lock held by somebody else) and at the log of the daemon; with --trace-syscalls the capture shows the system call.',
  ),
  'descriptors-exhausted': row(
    'error',
    'the daemon ran out of descriptors',
    'EMFILE or ENFILE: the daemon or the host has as many files open as its limit allows.',
    'Raise the limit (--rlimit-nofile, and fs.file-max for ENFILE); with virtiofsd also --inode-file-handles=prefer. In the guest, "echo 2 > /proc/sys/vm/drop_caches" gives nodes back.',
  ),
  'no-space': row(
    'error',
    'the host has no room left',
    'ENOSPC or EDQUOT: the file system that the shared folder is on is full, in bytes or in inodes, or the quota of whoever owns the files is used up.',
    'Make room on the host ("df" and "df -i" of the shared folder, "quota" of the owner), or share a folder of another file system. What programs in the guest wrote through mmap or a write-back cache may be lost: see their own errors.',
  ),
  estale: row(
    'warning',
    'files went away under the guest (ESTALE)',
    'The guest asked for an inode that the host has removed, replaced or moved out of the share.',
    'Change files from one side only, or use a shorter cache (--cache=auto or never). A program that has the file open has to open it again.',
  ),
  'lost-packets': row(
    'warning',
    'packets are missing from the capture',
    'The capture could not be written as fast as requests came. Counts are too low, and what depends on the order of events across a gap is not judged.',
    'Capture less: a smaller --snaplen, no --trace-syscalls, or a quicker place for the file.',
  ),
  'stale-cache': row(
    'warning',
    'the host changed what the guest had cached',
    'Something other than this guest changed a file or a name while the guest was allowed to use what it had cached, so programs may have seen the old state.',
    'Use --cache=auto (stale for at most a second) or --cache=never where host and guest change the same files, or change them from one side only.',
  ),
  'permission-errors': row(
    'warning',
    'the host refused access',
    'EACCES or EPERM came from the host, not from the guest kernel, which checks the mode first.',
    'Compare the caller with the owner and mode named here: change the owner or mode on the host, run the program as that user, or run the daemon with the rights it lacks.',
  ),
  'direct-io-refused': row(
    'warning',
    'O_DIRECT is not honoured',
    'A guest program opened a file for direct I/O, and the host refused it or did not get the flag.',
    'Use --allow-direct-io and a host file system that knows O_DIRECT (tmpfs before Linux 6.6 and some overlays do not); offsets, lengths and memory have to be aligned to the block size.',
  ),
  'mmap-refused': row(
    'info',
    'shared mmap does not work',
    'Files are opened with FOPEN_DIRECT_IO and DIRECT_IO_ALLOW_MMAP was not agreed on: mmap with MAP_SHARED answers ENODEV in the guest, with no request to be seen here. SQLite in WAL mode, LMDB and others need it.',
    'Use --allow-mmap, or --cache=auto.',
  ),
  'locks-never-seen': row(
    'info',
    'locks stay inside the guest',
    'Locks were not agreed on in INIT, so the guest keeps them to itself: they work between its own programs, and nobody on the host or in another guest sees them.',
    'Where several machines share these files, turn locks on (--posix-lock, --flock), or keep the files out of the share.',
  ),
  'queue-size-caps': row(
    'warning',
    'the size of requests is capped',
    'The guest splits large reads and writes because one request must fit: into the queue (its size less 4 descriptors, a page each), into max_pages and into max_write.',
    'Use queue-size=1024 for the device (QEMU: -device vhost-user-fs-pci,queue-size=1024; libvirt: <driver queue="1024"/>).',
  ),
  'queue-starvation': row(
    'warning',
    'requests wait longer than they are served',
    'The time from when a request could be seen in its queue to when it was taken is a multiple of the time that serving it took.',
    'See which of the two causes the text names: a daemon that is busy with other requests (slow ones in front, or more of them than one worker serves), or one that is not running (too few CPUs for guest and daemon, throttling).',
  ),
  'slow-requests': row(
    'info',
    'a few requests took far longer than the others',
    'Some requests took a multiple of what is usual for their opcode in this capture.',
    'Look at their phases: host time is the disk or file system of the host, daemon time a busy or unscheduled worker, queued time what was in front of them.',
  ),
  'small-io': row(
    'info',
    'many small requests in a row',
    'A file is read or written from front to back in small pieces; each costs a round trip to the host.',
    'Use larger buffers in the program, or let the guest gather them: --cache=auto or always for reads (always where it is auto), for writes --writeback of a daemon that you start yourself; avoid O_DIRECT and O_SYNC where they are not needed.',
  ),
  'readdir-without-plus': row(
    'info',
    'listings cost a LOOKUP for each entry',
    'READDIRPLUS, which brings the attributes along, was not agreed on: the guest lists a folder and then looks up its entries one by one.',
    'Leave out --no-readdirplus; with --cache=never use --cache=auto.',
  ),
  'descriptor-growth': row(
    'warning',
    'what the guest holds only grows',
    'The guest holds inodes or open files and gives few back. Daemons that keep a descriptor for each reach their limit; memory grows with them.',
    'Look for a program in the guest that keeps files open or walks whole trees; "echo 2 > /proc/sys/vm/drop_caches" in the guest gives inodes back; raise --rlimit-nofile.',
  ),
  'xattr-storm': row(
    'info',
    'the same attribute is asked for again and again',
    'The guest asks the host for an extended attribute that is not there, and does not remember the answer; security.capability before every write is the usual one.',
    'Use --killpriv-v2 and --cache=auto, so that writes need not ask; or serve no attributes at all (leave out --xattr): one ENOSYS then ends the questions.',
  ),
  'enosys-repeated': row(
    'info',
    'the guest repeats what is not served',
    'The daemon answered ENOSYS many times for the same opcode. The guest mostly asks once and then stops; what is repeated costs a round trip each.',
    'See which opcode it is, and whether an option of the daemon turns it on.',
  ),
  'negative-lookups': row(
    'info',
    'names that are not there are looked up again and again',
    'A search path (programs, libraries, includes, modules) ends at the host each time, because the answer that a name does not exist is not cached.',
    'Put the share last in the search path, or use a daemon and cache mode that give a time to negative answers (entry_valid with nodeid 0).',
  ),
});

export type FindingCode = keyof typeof findingTable;

export const findingCodes = Object.freeze(Object.keys(findingTable)) as readonly FindingCode[];
