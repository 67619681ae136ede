/**
 * A remedy of the catalogue or of `doctor`, which speaks of options of the command line, in the words of VS Code: the
 * setting, or where there is none the choice among the options of a share, or what else is done there. Knows nothing
 * of vscode.
 */
const places: Readonly<Record<string, string>> = {
  dax: '"virtiofs.dax.size"',
  'dax-policy': '"virtiofs.dax.policy"',
  'dax-mount': '"virtiofs.dax.mount"',
  guest: '"virtiofs.guest"',
  writeback: '--writeback in "virtiofs.daemonArgs"',
  'daemon-arg': '"virtiofs.daemonArgs"',
  kernel: '"kernel" of a profile',
  'boot-timeout': '"bootTimeout" of a profile',
  memory: 'the option "Memory"',
  cpus: 'the option "Processors"',
  cache: 'the option "Cache mode"',
  'read-only': 'the option "Read-only"',
  capture: 'the option "Capture to a file"',
  tag: 'the option "Tag"',
};

/** What is done by the command line alone, and what a person does here instead. */
const deeds: readonly (readonly [said: string, here: string])[] = [
  ['; "virtiofs-studio trace --tail" waits for what a file still gets', ': open it again later'],
  ['Name a file that "--capture" has made', 'Open a file that a share with the option "Capture to a file" has made'],
];

/** With the value that an example gives: after `=`, or a size or a guest. What stands for one (SIZE) is left out. */
const OPTION = /--([a-z][a-z-]*)(?:=([A-Z]+\b)|=([\w./-]*\w)| (\d+[MG]|qemu|uml)\b)?/g;

export function remedyHere(remedy: string): string {
  const done = deeds.reduce((text, [said, here]) => text.replace(said, here), remedy);
  return done.replace(OPTION, (whole, name: string, _stand: unknown, given?: string, example?: string) => {
    const place = Object.hasOwn(places, name) ? places[name] : undefined;
    if (place === undefined) return whole;
    const value = given ?? example;
    return value === undefined ? place : `${place}: "${value}"`;
  });
}
