/**
 * One workbench of a person's own (the extension installed as from a package, a small project open) with one story told in
 * it; then VS Code is closed, whatever runs in it, and nothing may be left.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stagedExtension } from '../stagedExtension';
import { getVscode } from './install';
import { processesAbout } from './processes';
import { makeProject, storySettings } from './sharesStory';
import { type Look } from './steps';
import { type Workbench, openWorkbench } from './workbench';

export const THEMES = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  contrast: 'Default High Contrast',
} as const;
export const SIZES = {
  wide: { width: 1440, height: 900 },
  narrow: { width: 760, height: 800 },
} as const;

/** `workspace`: the folder that is open. */
export type Story = (page: Workbench['page'], look: Look, workspace: string) => Promise<void>;

export interface Session {
  readonly theme: keyof typeof THEMES;
  readonly size: { readonly width: number; readonly height: number };
  readonly settings?: Record<string, unknown>;
}

/** One workbench, one story; `look` is given the page. */
export async function tell(
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
    extensions: [await stagedExtension(process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64', scratch)],
    installed: true,
    size,
    settings: { ...storySettings, 'workbench.colorTheme': THEMES[theme], ...settings },
  });
  let left: string[];
  try {
    await story(workbench.page, (name) => look(name, workbench.page), workspace);
  } catch (error) {
    await workbench.page.screenshot({ path: join(tmpdir(), 'virtiofs-picture-failed.png') });
    throw error;
  } finally {
    await workbench.close();
    left = await processesAbout(workspace);
    await rm(scratch, { recursive: true, force: true });
  }
  if (left.length > 0) throw new Error(`left behind by VS Code: ${left.join(', ')}`);
}

/** Settings with a profile whose guest cannot boot. */
export async function broken(scratch: string): Promise<Record<string, unknown>> {
  const kernel = join(scratch, 'vmlinuz-broken');
  await writeFile(kernel, 'no kernel\n'.repeat(1000));
  return { 'virtiofs.profiles': [{ name: 'broken', guest: 'qemu', kernel }] };
}
