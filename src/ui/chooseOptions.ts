/**
 * The choices of a share, in one quick pick: each row shows what is chosen and opens its own question; the first one
 * starts, unless some do not go together. Escape leaves everything as it was.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { DEFAULT_DAX_POLICY } from '../base/daxSize';
import { DAX_MOUNT_CHOICES, daxOffered, daxSizes, daxWords } from './daxChoice';
import {
  daxPolicyFault,
  type LaunchOptions,
  absolute,
  captureAt,
  captureChosen,
  captureShown,
  defaultCapture,
  freeTag,
  memoryFault,
  tagRefusal,
} from './launchOptions';
import { showError } from './messages';
import { shownPath } from './shownPath';

const USUAL_CPUS = '2';

type Answer = Partial<LaunchOptions> | undefined;

interface OptionItem extends vscode.QuickPickItem {
  /** Why it cannot be as it is. */
  readonly fault?: string;
  /** Asks; undefined: left as it is. Without it, the row that starts. */
  readonly ask?: () => Promise<Answer>;
}

interface Choice<T> extends vscode.QuickPickItem {
  readonly value: T;
}

/** Resolves to the options chosen; undefined when the person has gone away. `start` is the title of the first row. */
export async function chooseOptions(
  folder: string,
  options: LaunchOptions,
  start: string,
): Promise<LaunchOptions | undefined> {
  let chosen = options;
  let wrong: OptionItem | undefined;
  for (;;) {
    const items = rows(folder, chosen, start);
    const item = await pickRow(`Share ${basename(folder) || folder}`, items, wrong?.label);
    if (item === undefined) return undefined;
    wrong = undefined;
    if (item.ask !== undefined) {
      chosen = { ...chosen, ...(await item.ask()) };
      continue;
    }
    wrong = items.find(({ fault }) => fault !== undefined);
    if (wrong?.fault === undefined) return chosen;
    void showError(wrong.fault);
  }
}

/** `active`: the label of the row to begin at, where that is not the first one. */
async function pickRow(title: string, items: readonly OptionItem[], active?: string): Promise<OptionItem | undefined> {
  const pick = vscode.window.createQuickPick<OptionItem>();
  pick.title = title;
  pick.placeholder = 'Enter starts; choose a row to change it';
  pick.items = items;
  if (active !== undefined) pick.activeItems = items.filter(({ label }) => label === active);
  pick.matchOnDetail = true;
  try {
    return await new Promise((resolve) => {
      pick.onDidAccept(() => resolve(pick.activeItems[0]));
      pick.onDidHide(() => resolve(undefined));
      pick.show();
    });
  } finally {
    pick.dispose();
  }
}

function rows(folder: string, options: LaunchOptions, start: string): OptionItem[] {
  const qemu = options.guest === 'qemu';
  const usualMemory = `${qemu ? 512 : 256}M`;
  const more = options.shares.map((share) => `${share.tag}: ${shownPath(share.folder)}`).join(', ');
  return [
    { label: `$(play) ${start}`, description: shownPath(folder) },
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    {
      label: '$(vm) Guest',
      description: qemu ? 'QEMU' : 'User Mode Linux',
      ask: () =>
        choose('Guest', options.guest, [
          { value: 'qemu', label: 'QEMU', detail: 'A virtual machine, with KVM where that works.' },
          {
            value: 'uml',
            label: 'User Mode Linux',
            detail: 'Up in about a second, needs no virtualization. One processor. On x86-64 only.',
          },
        ]).then((guest) => guest && { guest }),
    },
    {
      label: '$(database) Cache mode',
      description: options.cache,
      ask: () =>
        choose('Cache mode', options.cache, [
          { value: 'never', label: 'never', detail: 'Every look goes to the host: always what is there now.' },
          { value: 'metadata', label: 'metadata', detail: 'Names and attributes are kept for long, data are not.' },
          { value: 'auto', label: 'auto', detail: 'Kept for a second; a file that changed on the host is read anew.' },
          { value: 'always', label: 'always', detail: 'Fastest; changes on the host may not be seen.' },
        ]).then((cache) => cache && { cache }),
    },
    {
      label: options.readOnly ? '$(lock) Read-only' : '$(unlock) Read-only',
      description: options.readOnly ? 'yes: the guest may change nothing' : 'no',
      ask: () => Promise.resolve({ readOnly: !options.readOnly }),
    },
    {
      label: '$(tag) Tag',
      description: `${options.tag}, mounted at /mnt/${options.tag}`,
      ask: () =>
        input('Tag: what the guest calls the share', options.tag, (tag) => tagRefusal(tag, options.shares)).then(
          (tag) => (tag === undefined ? undefined : { tag }),
        ),
    },
    {
      label: '$(multiple-windows) More folders',
      description: more === '' ? 'none' : more,
      ask: () => chooseFolders(options),
    },
    {
      label: '$(chip) Memory',
      description: options.memory === '' ? usualMemory : options.memory,
      ask: () =>
        input(
          'Memory of the guest, such as 512M or 2G',
          options.memory,
          (text) => (text === '' ? undefined : memoryFault(text)),
          usualMemory,
        ).then((memory) => (memory === undefined ? undefined : { memory })),
    },
    ...(qemu
      ? [
          {
            label: '$(circuit-board) Processors',
            description: options.cpus === '' ? USUAL_CPUS : options.cpus,
            ask: () =>
              input(
                'Processors of the guest, 1 to 64',
                options.cpus,
                (text) => (/^([1-9]|[1-5]\d|6[0-4])?$/.test(text) ? undefined : 'A number from 1 to 64'),
                USUAL_CPUS,
              ).then((cpus) => (cpus === undefined ? undefined : { cpus })),
          },
        ]
      : []),
    ...(daxOffered(options) ? [daxRow(options)] : []),
    {
      label: '$(record) Capture to a file',
      description: options.capture === '' ? 'no' : shownPath(captureShown(options.capture)),
      ask: () => chooseCapture(folder, options),
    },
  ];
}

function daxRow(options: LaunchOptions): OptionItem {
  const { fault, ...words } = daxWords(options);
  return {
    label: fault === undefined ? '$(table) DAX window' : '$(warning) DAX window',
    ...words,
    ...(fault !== undefined && { fault, detail: fault }),
    ask: () => chooseDax(options),
  };
}

async function chooseDax(options: LaunchOptions): Promise<Answer> {
  const dax = await choose(
    'DAX window: parts of files in the address space of the guest (QEMU 11.1 or later)',
    options.dax,
    daxSizes(),
  );
  if (dax === undefined || dax === '') return dax === undefined ? undefined : { dax };
  const daxMount = await choose('DAX window: for which files', options.daxMount, DAX_MOUNT_CHOICES);
  if (daxMount !== 'inode') return daxMount === undefined ? undefined : { dax, daxMount };
  const daxPolicy = await input(
    'Policy: pages or tails, sizes such as >=1M, patterns such as *.db, with commas between',
    options.daxPolicy,
    daxPolicyFault,
    DEFAULT_DAX_POLICY,
  );
  return daxPolicy === undefined ? undefined : { dax, daxMount, daxPolicy };
}

async function choose<T extends string>(title: string, now: T, choices: readonly Choice<T>[]): Promise<T | undefined> {
  const pick = vscode.window.createQuickPick<Choice<T>>();
  pick.title = title;
  pick.placeholder = `now: ${choices.find(({ value }) => value === now)?.label ?? now}`;
  pick.items = choices;
  pick.activeItems = choices.filter(({ value }) => value === now);
  try {
    return await new Promise((resolve) => {
      pick.onDidAccept(() => resolve(pick.activeItems[0]?.value));
      pick.onDidHide(() => resolve(undefined));
      pick.show();
    });
  } finally {
    pick.dispose();
  }
}

/** `usual`: what holds where nothing is written. */
function input(
  title: string,
  value: string,
  fault: (text: string) => string | undefined,
  usual = '',
): Promise<string | undefined> {
  const placeHolder = usual && `empty: ${usual}`;
  return Promise.resolve(vscode.window.showInputBox({ title, value, placeHolder, validateInput: fault }));
}

async function chooseFolders(options: LaunchOptions): Promise<Answer> {
  const add = { label: '$(add) Add a folder…', value: -1 };
  const items = options.shares.map(({ folder, tag }, value) => ({
    label: `$(trash) ${tag}`,
    description: `${shownPath(folder)}: choose to take it out`,
    value,
  }));
  const chosen = await vscode.window.showQuickPick([add, ...items], { title: 'More folders in the same guest' });
  if (chosen === undefined) return undefined;
  if (chosen !== add) return { shares: options.shares.filter((_, index) => index !== chosen.value) };
  const [picked] =
    (await vscode.window.showOpenDialog({ canSelectFiles: false, canSelectFolders: true, openLabel: 'Add' })) ?? [];
  if (picked?.scheme !== 'file') return undefined;
  const tag = freeTag(picked.fsPath, [options.tag, ...options.shares.map((share) => share.tag)]);
  return { shares: [...options.shares, { folder: picked.fsPath, tag }] };
}

async function chooseCapture(folder: string, options: LaunchOptions): Promise<Answer> {
  const none = { label: '$(circle-slash) No capture' };
  const file = { label: '$(save-as) Choose a file…', description: '*.fuse.pcapng' };
  const usual = {
    label: `$(record) ${basename(captureShown(defaultCapture(folder)))}`,
    description: 'beside the folder, new each time',
  };
  const chosen = await vscode.window.showQuickPick([usual, file, none], {
    title: 'Capture every request and reply to a file',
    placeHolder: options.capture === '' ? 'now: no capture' : `now: ${captureShown(options.capture)}`,
  });
  if (chosen === undefined) return undefined;
  if (chosen === none) return { capture: '' };
  if (chosen === usual) return { capture: defaultCapture(folder) };
  const now = new Date();
  const saved = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(captureAt(defaultCapture(folder), now)),
    filters: { 'FUSE captures': ['fuse.pcapng', 'pcapng'] },
  });
  return saved?.scheme === 'file' ? { capture: captureChosen(absolute(saved.fsPath, folder), now) } : undefined;
}
