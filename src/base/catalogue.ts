/**
 * Every error that a person meets, in one place: its code, what is wrong, what to do about it, and the exit code.
 *
 * Owns the wording only. Who finds the trouble makes it with `trouble('code', facts…)` and throws or returns it;
 * `cli/main.ts`, the daemon and the extension show it. Errors on the request path are errno values and never come here.
 */

/** 2: asked for something wrong. 3: the machine lacks something. 4: something that was running failed. */
export type ExitCode = 2 | 3 | 4;

interface Row {
  exitCode: ExitCode;
  text: string;
  remedy: string;
}

const usage = (text: string, remedy: string): Row => ({ exitCode: 2, text, remedy });
const machine = (text: string, remedy: string): Row => ({ exitCode: 3, text, remedy });
const failure = (text: string, remedy: string): Row => ({ exitCode: 4, text, remedy });

const indented = (lines: string): string => lines.replaceAll('\n', '\n  ').replace(/^/, '  ');

/** Of what may be long, such as a script, enough to know it by. */
const cut = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);

/*
 * No text begins with a name: where it stands by itself it is a sentence, with a capital letter. Where one begins with
 * an argument that is an option, or words of ours.
 */

/** Asks whether another word was meant, if there is one. */
const asking = (meant: string): string => (meant === '' ? '' : `; did you mean ${meant}?`);

const daemonHelp = '"virtiofs-studio daemon --help" lists the options.';

export const catalogue = {
  // Options of the daemon
  optionUnknown: (option: string, meant: string) => usage(`unknown option ${option}${asking(meant)}`, daemonHelp),
  optionNeedsValue: (option: string, value: string) =>
    usage(`${option} needs a value`, `Give it as ${option}=${value}.`),
  optionTakesNoValue: (option: string) => usage(`${option} takes no value`, `Give just ${option}.`),
  optionBadValue: (option: string, value: string, wanted: string) =>
    usage(`${option}: "${value}" is not ${wanted}`, daemonHelp),
  optionUnsupported: (option: string, remedy: string) =>
    usage(`${option} is not implemented here, and leaving it out silently would be wrong`, remedy),
  argumentUnexpected: (argument: string, meant: string) =>
    usage(`"${argument}" is not an option${asking(meant)}`, daemonHelp),
  daemonArgOwn: (what: string, remedy: string) =>
    usage(`an argument for the daemon cannot say this: "share" decides ${what}`, remedy),
  daemonArgPrints: (words: string) =>
    usage(
      `with ${words} the daemon would print something and serve nothing`,
      'Say it to "virtiofs-studio daemon" instead.',
    ),
  sharedDirMissing: () => usage('no folder to share', 'Name it with --shared-dir=DIR.'),
  socketMissing: () =>
    usage(
      'no socket to listen on',
      'Name a path with --socket-path=PATH, or hand over a listening socket with --fd=N.',
    ),
  socketGroupAlone: () =>
    usage(
      '--socket-group is for a socket that the daemon makes',
      'Name its path with --socket-path=PATH, or give the socket that is handed over its group where it is made.',
    ),
  socketGroupUnusable: (group: string, why: string) =>
    machine(
      `the socket cannot be given to the group "${group}": ${why}`,
      'Name a group that "getent group" lists and that this user is a member of.',
    ),
  socketTwice: () => usage('both --socket-path and --fd are given', 'Give one of the two.'),
  captureLimitAlone: () => usage('--capture-limit without a capture', 'Name a file with --capture=FILE.'),
  faultBad: (rule: string, why: string) =>
    usage(
      `the fault "${rule}" is not understood: ${why}`,
      'A fault is ACTION[,OPTION...] OPCODES [PATH] [if CONDITION], for example "errno=EIO,p=0.01 READ *.db".',
    ),
  captureUnusable: (path: string, why: string) =>
    machine(`the capture ${path} cannot be written: ${why}`, 'Name a file in a folder that can be written.'),
  mappedFileShortened: (what: string) =>
    failure(
      `DAX window: ${what}`,
      'Have the guest close the file, or give it its length back. Write a new file and rename it over the old one rather than shorten one that a guest has mapped, or leave such files to requests with --dax-policy.',
    ),
  captureStopped: (path: string, why: string) =>
    failure(
      `the capture ${path} is incomplete: it cannot be written any more (${why})`,
      'The share goes on, and what the file has up to there can be read. For a whole one make room, or choose another place, and start the share anew.',
    ),
  captureIncomplete: (tags: string) =>
    failure(
      `the command has ended, but not all of its requests are in the capture of ${tags}`,
      'Why is said above. The exit code is 4 where the command itself went well.',
    ),
  captureDash: () =>
    usage(
      'a capture is not written to standard output, which "-" would mean',
      'Name a file ("./-" for one of that name), or watch the share with "virtiofs-studio trace".',
    ),
  captureTaken: (path: string) =>
    usage(
      `the file ${path} is there already and is no capture (pcapng), so no capture is written in its place`,
      'Choose another name for the capture, or move that file away.',
    ),
  captureInShare: (path: string, folder: string) =>
    usage(
      `the capture ${path} would lie in a folder within the shared ${folder}, in whose place a guest can put another`,
      'Write it to a place outside of the shared folder, or directly into that.',
    ),
  tagBad: (why: string) =>
    usage(`the tag ${why}`, 'A tag is 1 to 36 bytes long and has no newline, for example "work".'),

  // The DAX window
  daxSizeBad: (size: string, why: string) =>
    usage(
      `a DAX window of ${size} cannot be: it ${why}`,
      'Give a power of two from 2M to 256M, for example --dax 64M.',
    ),
  daxReadOnly: () =>
    usage(
      'a read-only share cannot have a DAX window: what is mapped can always be written to',
      'Leave out --dax, or share the folder for writing.',
    ),
  daxWithoutTag: () =>
    usage('a DAX window needs a tag: the device that has it gets its tag from the daemon', 'Give one with --tag=TAG.'),
  daxCache: (mode: string) =>
    usage(
      `a DAX window and the cache mode ${mode} do not go together: Linux needs names that it may keep, and its page cache`,
      'Use --cache=auto (the default) or --cache=always.',
    ),
  daxWriteback: () =>
    usage(
      'a DAX window and --writeback do not go together: the guest would trust its own file sizes',
      'Leave out --writeback: stores through the window are written back by nobody.',
    ),
  daxOptionAlone: (option: string) =>
    usage(`${option} without a DAX window`, 'Give the window a size with --dax=SIZE.'),
  daxUml: () => usage('User Mode Linux has no DAX window', 'Use --guest qemu, or leave out --dax.'),
  daxQemuTooOld: (version: string) =>
    machine(
      `a DAX window needs QEMU 11.1 or later, this is ${version}`,
      'Let the guest tools be fetched (remove the older QEMU from PATH), or leave out --dax.',
    ),
  daxGuestMemory: (window: string, memory: string, needed: string) =>
    usage(
      `a DAX window of ${window} takes ${needed} of the guest's ${memory} of memory, which is too much of it`,
      'Give the guest more with --memory, or take a smaller window.',
    ),
  daxTooMuch: (total: string) =>
    usage(
      `the DAX windows of all shares together would be ${total}: QEMU ends a guest with more than 512 mappings`,
      'Together they may have 256M: take smaller windows, or fewer shares with one.',
    ),
  daxKernel: (release: string) =>
    machine(
      `Linux ${release} of the guest has no DAX for virtio-fs (CONFIG_FUSE_DAX)`,
      'Name another kernel with --kernel, or leave out --dax.',
    ),
  // The debugger
  debugConfigurationBad: (what: string) =>
    usage(`the debug configuration is not right: ${what}`, 'Completion in launch.json shows what there is.'),
  debugNotStarted: () => usage('nothing is debugged yet', 'Send launch or attach first.'),
  debugCancelled: () => usage('it was cancelled', 'Ask again to have it done.'),
  debugNotStopped: (thread: string) =>
    usage(`thread ${thread} is not stopped`, 'Only a request that is held can be looked at or changed.'),
  debugRequestUnknown: (command: string) =>
    usage(`the request "${command}" is not known to this debug adapter`, 'Its capabilities say what it can do.'),
  debugArgumentBad: (command: string, what: string) =>
    usage(`"${command}" was given something wrong: ${what}`, 'The Debug Adapter Protocol says what it takes.'),
  debugOnlyLive: (what: string) =>
    usage(`${what} needs a share that runs; this is a capture`, 'Attach to the share to do that.'),
  debugOnlyCapture: (what: string) =>
    usage(`${what} works in a capture only; this share runs`, 'Debug a capture of it to go back.'),
  debugNotNow: (what: string, why: string) => usage(`${what} cannot be done now: ${why}`, 'Step on or continue first.'),
  debuggingOff: () =>
    usage('no request can be held: this session runs without debugging', 'Start it with F5, "Start Debugging".'),
  debugNotSettable: (what: string, why: string) =>
    usage(
      `${what} cannot be set: ${why}`,
      'Fields of the request can be set at its entry, those of the reply at its reply.',
    ),
  debugValueBad: (what: string, value: string, wanted: string) =>
    usage(`"${what}" cannot be ${value}: it is ${wanted}`, 'Write it as the Variables view shows it.'),
  debugExpressionBad: (text: string, why: string) =>
    usage(`"${text}": ${why}`, '"help" in the debug console says what there is.'),
  debugMemoryUnknown: (reference: string) =>
    usage(`"${reference}" is no memory of this session`, 'References come with variables and descriptors.'),
  debuggerRefused: (share: string, why: string) =>
    failure(`the share "${share}" takes no debugger: ${why}`, 'One debugger at a time; end the other one.'),
  debuggerUnreached: (share: string, why: string) =>
    failure(
      `the debugger's socket of the share "${share}" cannot be reached: ${why}`,
      'The share may just have ended: start it again, then attach to it.',
    ),
  debugRefused: (why: string) =>
    usage(why, 'Where a request stands decides what can be done to it: step on or continue, then try again.'),
  debugValueRefused: (why: string) =>
    usage(`that cannot be: ${why}`, 'Give another value; what was there before still is.'),
  debugShareOver: () => failure('the share that was debugged has ended', 'Start it again and attach to it anew.'),
  debugConnectionOver: () =>
    failure(
      'the connection to the daemon of the share has ended',
      'Attach to the share anew; where it has ended, start it again first.',
    ),
  debugAnswerOdd: (request: string, problems: string) =>
    failure(
      `the daemon's answer to "${request}" is not understood: ${problems}`,
      'The share may be of another version of Virtio-FS Studio: start it anew.',
    ),
  debugGuestEnded: (why: string) =>
    failure(`the guest has ended before it could be debugged: ${why}`, 'Its console says more.'),

  // Around VS Code
  notLinux: (platform: string) =>
    machine(
      `virtio-fs needs Linux as the host, this is ${platform}`,
      'Open the folder on a Linux machine (Remote - SSH, Dev Containers, WSL). Captures open here as well.',
    ),
  workspaceUntrusted: () =>
    machine(
      'this workspace is not trusted, so no program is started from it',
      'Trust it with "Workspaces: Manage Workspace Trust".',
    ),
  nativePartMissing: (platform: string) =>
    machine(
      `this package of the extension has no native part for ${platform}, so no guest can be started; captures open`,
      'Install the package for linux-x64 or linux-arm64 on such a machine.',
    ),
  folderMissing: (folder: string) =>
    usage(`there is no folder ${folder}`, 'Choose an existing folder on this machine.'),
  folderIsNone: (path: string) =>
    usage(`the path ${path} is no folder`, 'Name the folder that it is in, or another one.'),
  folderNameOdd: (path: string) =>
    usage(
      `the path ${path} has bytes that are no UTF-8, and cannot be passed on as it is`,
      'Rename what is shown with "\uFFFD", or mount it at a path of UTF-8: sudo mount --bind.',
    ),
  currentFolderGone: (why: string) =>
    machine(`the current folder cannot be found: ${why}`, 'It was removed or moved: go to one that is there, with cd.'),
  nodeMissing: (tried: string) =>
    machine(
      `no Node.js of version 20 or later was found (tried ${tried})`,
      'Install Node.js 20 or later, or name it in the setting "virtiofs.nodePath".',
    ),
  settingBad: (setting: string, value: string, why: string, wanted: string) =>
    usage(
      `the setting "${setting}" is ${value}, but ${why}`,
      `Set it to ${wanted}, or remove it, which means its default.`,
    ),
  profileBad: (profile: string, option: string, value: string, why: string, wanted: string) =>
    usage(
      `the profile "${profile}" has "${option}": ${value}, but ${why}`,
      `In the setting "virtiofs.profiles", set it to ${wanted}, or remove it, which means its default.`,
    ),
  argumentBad: (option: string, value: string, why: string, wanted: string) =>
    usage(
      `the command was given "${option}": ${value}, but ${why}`,
      `In the arguments of the command, such as those of a key binding, set it to ${wanted}, or leave it out.`,
    ),
  programMissing: (file: string) =>
    machine(`the program ${file} is not there`, 'Build the project with "npm run build".'),

  // Guests
  toolboxWithoutApt: () =>
    machine(
      'no QEMU, kernel and busybox for a guest were found, and there is no apt to fetch them with',
      'Install QEMU (qemu-system-x86_64, or qemu-system-aarch64 on arm64), a static busybox and a kernel that /boot lets you read.',
    ),
  toolboxOtherMachine: (architecture: string) =>
    machine(
      `guest tools are only fetched for x86-64 and arm64, this machine is ${architecture}`,
      'Name a kernel with --kernel.',
    ),
  debianUnknown: (name: string) =>
    machine(
      `where Debian's packages come from, and who signs them, is not known here: no package ${name}`,
      'Run: sudo apt-get update && sudo apt-get install debian-archive-keyring python-apt-common',
    ),
  packagesNotFetched: (said: string) =>
    machine(
      `the guest tools could not be fetched: ${said}`,
      'Check the network, the proxy of apt and the free room, then try again.',
    ),
  cacheUnusable: (folder: string, why: string) =>
    machine(
      `the guest tools cannot be kept in ${folder}: ${why}`,
      'Make room there and let this user write to it, or set XDG_CACHE_HOME to a folder where that is so.',
    ),
  cachePathBad: (folder: string) =>
    machine(
      `the guest tools could not be started from ${folder}: its path has a colon, a semicolon or a line end`,
      'Set XDG_CACHE_HOME to a folder without them.',
    ),
  cacheNowhere: () =>
    machine(
      'there is no place to keep the guest tools in: this user has no home folder',
      'Set HOME, or XDG_CACHE_HOME, to a folder that this user may write to.',
    ),
  toolsDamaged: (folder: string, why: string) =>
    machine(
      `the guest tools in ${folder} cannot be read: ${why}`,
      'Remove that folder: they are fetched again when they are needed.',
    ),
  temporaryUnusable: (folder: string, why: string) =>
    machine(
      `nothing can be made in the folder for temporary files, ${folder}: ${why}`,
      'Make room there, or set TMPDIR to a folder with room that this user may write to.',
    ),
  demoFolderUnusable: (folder: string, why: string) =>
    machine(
      `the demo makes files in ${folder}, which cannot be: ${why}`,
      'Name a folder with room that this user may write to, or leave it out: then one is made.',
    ),
  lockUnusable: (file: string, why: string) =>
    machine(
      `the file ${file} cannot be locked: ${why}`,
      'Set XDG_CACHE_HOME to a folder on a file system that has locks.',
    ),
  programNotRun: (program: string, why: string) =>
    machine(
      `the program ${program} cannot be started: ${why}`,
      `Look whether this user may run it; "ulimit -u" shows how many processes may run.`,
    ),
  toolMissing: (what: string, remedy: string) => machine(`${what} is missing`, remedy),
  kernelUnusable: (image: string, why: string) =>
    usage(
      `the file ${image} cannot be read as a kernel: ${why}`,
      'Name a Linux kernel (vmlinuz) that this user may read.',
    ),
  kernelModulesUnusable: (folder: string, why: string) =>
    machine(
      `the kernel modules in ${folder} cannot be used: ${why}`,
      'Name another kernel with --kernel, or leave it out. Guest tools that were fetched are fetched anew when their folder is removed.',
    ),
  kvmUnusable: (why: string) =>
    machine(
      `KVM does not work here: ${why}`,
      'Leave out --accel kvm, or give --accel tcg: guests run emulated then, only slower.',
    ),
  qemuOnly: (option: string) =>
    usage(`${option} is for QEMU only, and the guest is User Mode Linux`, `Use --guest qemu, or leave out ${option}.`),
  guestNotUp: (why: string, console: string, remedy: string) => failure(`${why}${console}`, remedy),
  qmpOdd: (what: string) =>
    failure(
      `QEMU said on its control connection (QMP) what makes no sense: ${what}`,
      'Start the guest again. Where it stays so, use another QEMU: one is fetched where there is none on PATH.',
    ),
  qmpOver: (how: string) =>
    failure(`the control connection to QEMU (QMP) is over: ${how}`, 'QEMU may have ended: start the guest again.'),
  backEndNotUp: (why: string) =>
    failure(`the virtio-fs daemon did not start: ${why}`, 'Its own message above says what it lacks.'),
  backEndLacks: (why: string) =>
    machine(`the virtio-fs daemon did not start: ${why}`, 'Its own message above says what it lacks.'),
  guestEnded: () => failure('the guest has ended', 'Start it again; "virtiofs-studio doctor" shows what it needs.'),
  recordLost: () =>
    failure(
      'the guest could not take all of the command or of its input',
      'Make room in /run in the guest, or start it with more --memory; a guest that is User Mode Linux also reads files in the folder for temporary files.',
    ),
  guestSlow: (time: string, what: string) =>
    failure(
      `not done in the guest within ${time}: ${cut(what)}`,
      'The machine may be too busy for it: try again when it has less to do. QEMU without KVM is the slowest guest; --guest uml needs none.',
    ),
  guestCrashed: (signal: string) =>
    failure(
      `the guest's own program was ended by ${signal}`,
      signal === 'SIGBUS'
        ? 'With a DAX window that is what QEMU dies of when the guest touches what the host has cut off a mapped file (docs/dax.md); else the memory of the machine, or of /dev/shm, was used up.'
        : 'That is a fault of its own, not of the share: try another version of QEMU, or the other kind of guest with --guest uml.',
    ),
  guestGone: (command: string) =>
    failure(
      `the guest ended before the command did: ${cut(command)}`,
      'Without --command there is a shell to look around in.',
    ),
  guestProgramsGone: () =>
    failure(
      'the command has ended every program of the guest, also those that bring its output and say how it ended',
      'Have it end its own processes only, for example with "kill 0" or by their ids, and not all of them ("kill -1").',
    ),
  inputUnreadable: (why: string) =>
    failure(
      `the standard input cannot be read for the command: ${why}`,
      'Give it another one, or </dev/null for none.',
    ),
  daemonGone: (tag: string, how: string) =>
    failure(
      `the virtio-fs daemon of the share "${tag}" has ended (${how}): its folder answers no more`,
      'Restart the guest: a daemon cannot be put behind a guest that runs.',
    ),
  folderGone: (tag: string, folder: string) =>
    failure(
      `the folder ${folder}, shared as "${tag}", is not there any more`,
      'The guest keeps the folder that was removed. Put it back and restart the guest to share it anew.',
    ),
  commandEmpty: () => usage('--command has nothing to run', 'Name a command, or leave it out to have a shell.'),
  foldersTooMany: (folder: string) =>
    usage(
      `share takes one folder by itself, and "${folder}" is one more`,
      'Share it as well with --share DIR:TAG, for example --share ./src:work; a path with spaces is put in quotes.',
    ),
  shareWordsBad: (why: string) => usage(why, '"virtiofs-studio share --help" lists the options.'),
  noVm: () => failure('no virtual machine of this window runs', 'Start one with "Virtio-FS: Share Folder into VM".'),
  guestNotThere: () => failure('the guest is not up', 'Wait until it is, or start it again.'),
  controlUnusable: (path: string, why: string) =>
    usage(`nobody listens at ${path}: ${why}`, '--control is for editors; leave it out to run a guest by hand.'),
  shareBad: (text: string) => usage(`"${text}" is not a share`, 'Give it as DIR:TAG, for example ./src:work.'),
  tagTwice: (tag: string) => usage(`two shares have the tag "${tag}"`, 'Give each share a tag of its own.'),
  tagsAlike: (one: string, other: string, place: string) =>
    usage(
      `the shares "${one}" and "${other}" would both be ${place} in the guest`,
      'Choose tags that differ in more than characters other than A-Z, a-z, 0-9, ".", "_" and "-".',
    ),
  numberBad: (option: string, text: string, wanted: string) =>
    usage(`${option}: "${text}" is not ${wanted}`, '"virtiofs-studio share --help" lists the options.'),
  terminalMissing: () =>
    usage('an interactive guest needs a terminal', 'Run one command with --command "...", or use a terminal.'),

  // The daemon, starting
  sharedDirUnusable: (folder: string, why: string) =>
    machine(`the folder ${folder} cannot be shared: ${why}`, 'Name a folder that exists and that this user may open.'),
  socketNotListening: (fd: string) =>
    usage(`--fd=${fd} is not a listening socket`, 'Hand over a listening Unix socket under that number.'),
  descriptorUnusable: (option: string, why: string) =>
    usage(`${option} cannot be written to: ${why}`, 'Hand over an open file, pipe or socket under that number.'),
  socketUnusable: (path: string, why: string) =>
    machine(
      `cannot listen on ${path}: ${why}`,
      'Choose a path that is free, shorter than 108 bytes, in a folder that can be written.',
    ),

  // Captures, from a file or live
  captureMissing: (name: string) =>
    usage(
      `there is no file ${name}`,
      'Name a capture (*.fuse.pcapng). "virtiofs-studio share --capture FILE" makes one.',
    ),
  captureNotReadable: (name: string, why: string) =>
    usage(`the capture ${name} cannot be read: ${why}`, 'Check its permissions, or run as the user who made it.'),
  hexOfJson: () =>
    usage(
      '--hex and --json do not go together: the JSON of a request has no bytes of it',
      'Leave out one of the two. "virtiofs-studio export --to pcapng" keeps the bytes as they are.',
    ),
  captureOfNoFile: (name: string) =>
    usage(
      `the capture ${name} is no regular file`,
      'Name a capture file, or give "virtiofs-studio trace -" its bytes to read.',
    ),
  captureWithoutRequests: (name: string) =>
    usage(`there is no request in ${name}`, 'Name another capture: one that was made while a guest was at work.'),
  captureReadFailed: (name: string, why: string) =>
    machine(
      `the capture ${name} could be opened, but not read to its end: ${why}`,
      'The disk or file system that it is on has a fault, or is gone: copy it to another one, then open the copy.',
    ),
  captureTooLarge: (size: string, most: string) =>
    usage(
      `a capture that is not on this machine is read into memory, and this one is too large for that: ${size}`,
      `Up to ${most} can be: copy it to this machine, or export a part of it where it is.`,
    ),
  captureEmpty: (name: string) =>
    usage(
      `the capture ${name} is empty`,
      'The share may not have had a request yet; "virtiofs-studio trace --tail" waits for what a file still gets.',
    ),
  captureIsFolder: (name: string) =>
    usage(
      `the path ${name} is a folder, and no running share serves it`,
      'Name the capture file in it, or a running share.',
    ),
  inputIsFolder: () =>
    usage('the standard input is a folder', 'Give it a capture file: virtiofs-studio trace - < FILE.'),
  captureIsNoFile: (name: string) => usage(`the path ${name} is a folder`, 'Name the capture file in it.'),
  shareIsNoCapture: (name: string) =>
    usage(
      `what ${name} names is a share that runs, and a capture file is wanted`,
      'Start it with --capture FILE, or write one until it ends: "virtiofs-studio export NAME --to pcapng -o FILE".',
    ),
  captureForeign: (what: string, why: string, remedy: string) =>
    usage(`${what} is ${why}`, remedy === '' ? 'Name a file that "--capture" has made.' : remedy),
  sharesFolderUnusable: (folder: string, why: string) =>
    machine(
      `the folder of running shares, ${folder}, cannot be trusted: ${why}`,
      'It has to be yours with mode 0700: remove it, or set XDG_RUNTIME_DIR to a folder of your own.',
    ),
  shareUnknown: (name: string, running: string) =>
    usage(
      `what ${name} names is neither a capture nor a share that runs`,
      running === '' ? 'No share of this user runs.' : `These run:\n${indented(running)}`,
    ),
  shareAmbiguous: (name: string, running: string) =>
    usage(`the name ${name} means more than one share`, `Name one by its process id:\n${indented(running)}`),
  shareNotRunning: () =>
    usage('no capture is named, and no share of this user runs', 'Name a capture, or start a share first.'),
  shareGone: (socket: string, why: string) =>
    failure(
      `the share at ${socket} gives no capture: ${why}`,
      'It may just have ended; "virtiofs-studio trace" lists what runs.',
    ),
  viewOptionBad: (command: string, option: string, text: string, wanted: string) =>
    usage(`${option}: "${text}" is not ${wanted}`, `"virtiofs-studio ${command} --help" lists the options.`),
  filterBad: (what: string, place: string) =>
    usage(
      `--filter: ${what}`,
      `${place}\n  "virtiofs-studio trace --fields help" lists the fields; docs/filter-language.md has the language.`,
    ),
  fieldUnknown: (name: string, near: string) =>
    usage(
      `there is no field "${name}"${near === '' ? '' : `; did you mean "${near}"?`}`,
      '"virtiofs-studio trace --fields help" lists them.',
    ),
  outputMissing: () =>
    usage('standard output is a terminal', 'Name a file with -o FILE, or -o - to have it on the terminal.'),
  stdoutUnusable: (why: string) =>
    machine(
      `standard output cannot be written: ${why}`,
      'Make room where it goes, or send it to a file on another file system.',
    ),
  outputThere: (file: string) =>
    usage(`the file ${file} is there already`, 'Choose another name, or replace it with --force.'),
  outputUnusable: (file: string, why: string) =>
    machine(
      `the file ${file} cannot be written: ${why}`,
      'Name a file in a folder that you may write to, with room in it.',
    ),
  exportOvertaken: () =>
    usage(
      'the oldest requests were dropped from memory while they were to be exported',
      'Export again what is shown now, or raise the setting virtiofs.live.memory.',
    ),
  // The dissector for Wireshark
  dissectorForeign: (file: string) =>
    usage(
      `the file ${file} is there already, and it is not the dissector of virtiofs-studio`,
      'Move it away, or name another folder with --dir.',
    ),
  dissectorUnusable: (file: string, why: string) =>
    machine(
      `the dissector ${file} cannot be written or removed: ${why}`,
      'Name a folder that can be written with --dir.',
    ),

  // Whatever ends a command without a row of its own
  unexpected: (what: string) =>
    failure(what, 'This is a fault of virtiofs-studio: please report it with the lines above.'),
} satisfies Record<string, (...facts: string[]) => Row>;

export type TroubleCode = keyof typeof catalogue;

/** An error with a code and a remedy. `message` is the text alone. */
export class Trouble extends Error {
  override readonly name = 'Trouble';

  constructor(
    readonly code: TroubleCode,
    text: string,
    readonly remedy: string,
    readonly exitCode: ExitCode,
  ) {
    super(text);
  }

  /** As printed on a terminal or in a log: two lines, and between them what else there is of the message. */
  override toString(): string {
    const [first, ...others] = this.message.split('\n');
    return [`error: ${first} [${this.code}]`, ...others, `  ${this.remedy}`].join('\n');
  }
}

/** Makes the error `code`, with the facts that its row asks for. */
export function trouble<Code extends TroubleCode>(code: Code, ...facts: Parameters<(typeof catalogue)[Code]>): Trouble {
  const row = (catalogue[code] as (...facts: string[]) => Row)(...facts);
  return new Trouble(code, row.text, row.remedy, row.exitCode);
}
