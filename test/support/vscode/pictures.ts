/**
 * Takes pictures of a person's way through the extension in a real VS Code, with real guests.
 *
 * `npm run pictures` writes those of the README and the walkthrough into media/. `node out/test/support/vscode/pictures.js
 * --review DIR` writes every step into DIR, in light, dark and high contrast, wide and narrow, for somebody to look at.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stagedExtension } from '../stagedExtension';
import { getVscode } from './install';
import { type Look, failingStory, makeProject, sharesStory, storySettings } from './sharesStory';
import { type Workbench, openWorkbench } from './workbench';

const project = resolve(__dirname, '../../../..');

const THEMES = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  contrast: 'Default High Contrast',
} as const;
const SIZES = {
  wide: { width: 1440, height: 900 },
  narrow: { width: 760, height: 800 },
} as const;

type Story = (page: Workbench['page'], look: Look) => Promise<void>;

interface Session {
  readonly theme: keyof typeof THEMES;
  readonly size: { readonly width: number; readonly height: number };
  readonly settings?: Record<string, unknown>;
}

/** One workbench, one story; `look` is given the page. */
async function tell(
  { theme, size, settings = {} }: Session,
  story: Story,
  look: (name: string, page: Workbench['page']) => Promise<void>,
): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'virtiofs-pictures-'));
  const workspace = join(scratch, 'project');
  await makeProject(workspace);
  const workbench = await openWorkbench({
    server: await getVscode(),
    workspace,
    // As people have it; its path is then no place of this machine.
    extensions: [await stagedExtension('linux-x64', scratch)],
    installed: true,
    size,
    settings: { ...storySettings, 'workbench.colorTheme': THEMES[theme], ...settings },
  });
  try {
    await story(workbench.page, (name) => look(name, workbench.page));
  } catch (error) {
    await workbench.page.screenshot({ path: join(tmpdir(), 'virtiofs-picture-failed.png') });
    throw error;
  } finally {
    await workbench.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function broken(scratch: string): Promise<Record<string, unknown>> {
  const kernel = join(scratch, 'vmlinuz-broken');
  await writeFile(kernel, 'no kernel\n'.repeat(1000));
  return { 'virtiofs.profiles': [{ name: 'broken', guest: 'qemu', kernel }] };
}

async function review(folder: string, only: string | undefined): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const theme of Object.keys(THEMES) as (keyof typeof THEMES)[]) {
    for (const size of Object.keys(SIZES) as (keyof typeof SIZES)[]) {
      const name = `${theme}-${size}`;
      if (only !== undefined && only !== name) continue;
      const session = { theme, size: SIZES[size] };
      const shoot = async (step: string, page: Workbench['page']): Promise<void> =>
        void (await page.screenshot({ path: join(folder, `${name}-${step}.png`) }));
      await tell(session, sharesStory, shoot);
      await tell({ ...session, settings: await broken(folder) }, failingStory, shoot);
      console.log(`${name} done`);
    }
  }
}

/** Steps that are shown to people, and where. */
const SHOWN: Readonly<Record<string, string>> = {
  options: 'walkthrough/options.png',
  terminal: 'walkthrough/share.png',
  shares: 'walkthrough/shares.png',
  environment: 'walkthrough/environment.png',
};

async function media(): Promise<void> {
  await mkdir(join(project, 'media/walkthrough'), { recursive: true });
  await tell({ theme: 'dark', size: { width: 1040, height: 680 } }, sharesStory, async (step, page) => {
    if (Object.hasOwn(SHOWN, step)) await page.screenshot({ path: join(project, 'media', SHOWN[step]) });
    if (step === 'shares') await page.screenshot({ path: join(project, 'media/share-folder.png') });
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { review: { type: 'string' }, only: { type: 'string' } } });
  await (values.review === undefined ? media() : review(resolve(values.review), values.only));
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
