/**
 * Writes the `/init` script of our guests, the first and only program the kernel starts there.
 *
 * Owns what happens inside the guest between the kernel and the user: pseudo file systems, modules, mounts, the
 * command channel, the shell, power off. The same script serves QEMU and User Mode Linux; only device names differ.
 * The host's end of the command channel is `commandChannel.ts`; both ends are described there. Pure text: knows
 * nothing of files or processes on the host.
 */
import { shellQuote } from './shellQuote';

export interface GuestMount {
  readonly tag: string;
  readonly readOnly: boolean;
  /** Further mount options, as after `mount -o`. */
  readonly options?: string;
  /** It has a DAX window: a reset while something of it is mapped crashes QEMU. */
  readonly dax?: boolean;
}

export interface InitPlan {
  /** Module files inside the initramfs, dependencies first. */
  readonly modules: readonly string[];
  readonly mounts: readonly GuestMount[];
  /** Device of the command channel, as a shell pattern: `/dev/tty1`, `/dev/vport*p1`. */
  readonly channel: string;
  /** Device for the errors of commands, as a shell pattern. */
  readonly errors: string;
  /** Long records of the channel are files of the host, in what hostfs shows (User Mode Linux only). */
  readonly records?: boolean;
  /** Word that starts every line of ours on the channel, unknown to the programs in the guest. */
  readonly token: string;
  /** Give a shell on this terminal device; leaving it powers the guest off. */
  readonly shell?: {
    readonly terminal: string;
    readonly rows?: number;
    readonly columns?: number;
    readonly term: string;
  };
  readonly hostname: string;
}

/** The folder in the guest where the share `tag` is mounted: `/mnt/` and the tag with unusual characters replaced. */
export function mountPoint(tag: string): string {
  const name = tag.replace(/[^A-Za-z0-9._-]/g, '_');
  return `/mnt/${/^\.+$/.test(name) ? '_' : name}`;
}

/**
 * What mounts the share `tag` in the guest; `options` as after `mount -o`. A tag may begin with a dash, hence the `--`.
 */
export function mountCommand(tag: string, options: string): string {
  return `mount -t virtiofs -o ${shellQuote(options)} -- ${shellQuote(tag)} ${shellQuote(mountPoint(tag))}`;
}

/** The whole script. It ends in powering the guest off, whatever happens before. */
export function guestInit(plan: InitPlan): string {
  return [
    '#!/bin/busybox sh',
    'export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root USER=root LANG=C.UTF-8',
    '/bin/busybox mkdir -p /dev /proc /sys /run /tmp /root /mnt /sbin /usr/bin /usr/sbin',
    '/bin/busybox mount -t proc proc /proc',
    '/bin/busybox mount -t sysfs sysfs /sys',
    '[ -c /dev/zero ] || /bin/busybox mount -t devtmpfs dev /dev',
    '/bin/busybox --install -s /bin',
    'mkdir -p /dev/pts /dev/shm',
    'mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts',
    'for place in /dev/shm /run /tmp; do mount -t tmpfs -o mode=1777 tmpfs $place; done',
    'ln -sf /proc/self/fd /dev/fd',
    `hostname ${shellQuote(plan.hostname)}`,
    'ifconfig lo 127.0.0.1 2>/dev/null',
    '',
    'problems=',
    ...plan.modules.map((path) => `insmod ${shellQuote(path)} || problems="$problems module:${path}"`),
    ...(plan.records === true ? recordLines : []),
    // The devices may come a moment after their module.
    `for try in $(seq 100); do set -- ${plan.channel} ${plan.errors}; [ -c "$1" -a -c "$2" ] && break; usleep 20000; done`,
    'exec 3<>"$1" 4<>"$2" 6>&3 7>&4',
    'carriers=',
    '[ ! -t 3 ] || {',
    ...pipeLines,
    '}',
    `say() { printf '\\n${plan.token} %s\\n' "$*" >&3; }`,
    leaveScript(plan),
    'say started',
    '[ -z "$problems" ] || say failed $problems',
    ...plan.mounts.map(mountLine),
    `home=${plan.mounts.length > 0 ? shellQuote(mountPoint(plan.mounts[0].tag)) : '/root'}`,
    ...(plan.shell === undefined ? [] : terminalLines(plan.shell)),
    'say ready $(uname -r)',
    ...(plan.shell === undefined ? ['serve'] : ['serve &', ...shellLines(plan.shell)]),
    'leave',
    '',
  ].join('\n');
}

/**
 * Programs that write to a terminal lay it out for a person, so they get pipes instead, as they do on the host. Whose
 * name is busybox is not what somebody's `killall cat` means.
 */
const pipeLines = [
  '  for line in 3 4; do stty raw -echo <&$line; mkfifo /run/line$line; done',
  '  exec 6<>/run/line3 7<>/run/line4',
  '  for line in 3 4; do /bin/busybox cat </run/line$line >&$line 6>&- 7>&- & carriers="$carriers $!"; done',
];

const recordLines = [
  'records=/run/records',
  'mkdir $records; mount -t hostfs -o ro records $records || problems="$problems mount:records"',
];

/** `serve` runs the channel's commands one after another; `leave` unmounts, so that the daemon sees DESTROY. */
function leaveScript(plan: InitPlan): string {
  const places = [...plan.mounts].reverse().map((mount) => shellQuote(mountPoint(mount.tag)));
  // Whoever still uses a window loses it before QEMU does. Not by fuser, which Debian's busybox lacks. What was killed
  // may take a while to end.
  const force = plan.mounts.some((mount) => mount.dax === true)
    ? ' { kill -KILL -1; for try in $(seq 100); do usleep 50000; umount $place 2>/dev/null && break; done; } ||'
    : '';
  return `cat >/bin/leave <<'END'
#!/bin/sh
cd /
for place in ${places.join(' ')}; do
  # Where the shell is killed, init comes here as well.
  grep -q " $place virtiofs " /proc/mounts || continue
  umount $place 2>/dev/null ||${force} umount -l $place
done
# Even an emergency, which "Power down" is to the kernel, goes no more to the user's terminal.
echo 0 >/proc/sys/kernel/printk
[ "$1" = reboot ] && reboot -f
poweroff -f
END
chmod 755 /bin/leave
# 1: a record is lost, 2: called off.
feed() {
  lost=0
  while read -r record <&3 && [ "$record" != - ]; do
    case $record in
      0) return $lost ;;
      file*) dd if=$records/$record bs=64k 2>/dev/null ;;
      # dd has read all of a record before it writes, so that the next one is found whatever becomes of this one.
      *) dd bs=$record count=1 iflag=fullblock <&3 2>/dev/null ;;
    esac && say more $token || {
      # Only the end is sent then: what would come after it would close the gap.
      lost=1
      say lost $token
    }
  done
  return 2
}
answer() {
  # From a folder of its own, so that this shell keeps no mount busy; and in a session of its own, so that "kill 0" ends
  # the command and not whoever waits for it.
  (cd \${folder:-$home} && exec setsid sh /run/command) >&6 2>&$errors 3>&- 4>&- 6>&- 7>&-
  status=$?
  carried && tell $status
}
tell() {
  [ $errors = 6 ] || printf '\\n%s %d\\n' "$token" $1 >&7
  printf '\\n%s %d\\n' "$token" $1 >&6
}
# One that has ended, and waits to be asked for, has no program any more.
carried() {
  for carrier in $carriers; do [ -e /proc/$carrier/exe ] || return 1; done
}
serve() {
  while read -r token streams folder <&3; do
    case $streams in *errors*) errors=7 ;; *) errors=6 ;; esac
    feed >/run/command
    case $?,$streams in
      # What the command has not read is read here, for the line to be free for the next command; and so that to write
      # it never fails because the command reads no further.
      0,*input*) feed | { answer && { cat >/dev/null; true; }; } ;;
      0,*) answer </dev/null ;;
      # A script that is called off has no input.
      1,*input*) feed >/dev/null; tell 126 ;;
      *) tell 126 ;;
    # Only the first process outlives "kill -9 -1": nobody then brings output or says how the command ended, and what
    # comes next on the line cannot be told from a record that was half read.
    esac || { say gone $token; return; }
  done
}`;
}

function mountLine(mount: GuestMount): string {
  const place = shellQuote(mountPoint(mount.tag));
  const options = [mount.readOnly ? 'ro' : 'rw', ...(mount.options === undefined ? [] : [mount.options])].join(',');
  return `mkdir -p ${place}; ${mountCommand(mount.tag, options)} || say failed mount ${shellQuote(mount.tag)}`;
}

/**
 * Whoever is at the other end makes a carriage return of each newline already. The device stays open, for nothing typed
 * to be lost.
 */
function terminalLines(shell: NonNullable<InitPlan['shell']>): string[] {
  const size = shell.rows && shell.columns ? ` rows ${shell.rows} cols ${shell.columns}` : '';
  return [`exec 5<>${shell.terminal}`, `stty sane -echo -onlcr${size} <&5`];
}

/** The shell begins when a line is typed: what it wrote before the user's terminal is joined would be lost. */
function shellLines(shell: NonNullable<InitPlan['shell']>): string[] {
  return [
    "cat >/root/.profile <<'END'",
    // Without MAIL the shell of busybox asks at each prompt for a file "MAILPATH", and the share would be asked.
    `export TERM=${shellQuote(shell.term)} MAIL= PS1='\\h:\\w\\$ '`,
    'END',
    'head -n 1 <&5 >/dev/null',
    'stty echo <&5',
    '(cd $home && exec setsid -c sh -l) <&5 >&5 2>&5 3>&- 4>&- 5>&- 6>&- 7>&-',
  ];
}
