/**
 * One workbench of a person's own (the extension installed as from a package, a small project open) with one story told
 * in it; then VS Code is closed, whatever runs in it, and nothing may be left.
 */
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
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
  contrastLight: 'Default High Contrast Light',
} as const;
/** VS Code goes from one to the other with the system, while it runs. */
export const THEME_PAIRS = [
  ['dark', 'light'],
  ['contrast', 'contrastLight'],
] as const satisfies readonly (readonly [ifDark: keyof typeof THEMES, ifLight: keyof typeof THEMES])[];

export const SIZES = {
  wide: { width: 1440, height: 900 },
  narrow: { width: 760, height: 1100 },
  /** What is left of the wide one when everything is shown twice as large. */
  enlarged: { width: 720, height: 450 },
} as const;

/** `workspace`: the folder that is open. */
export type Story = (page: Workbench['page'], look: Look, workspace: string) => Promise<void>;

export interface Told {
  readonly story: Story;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Whether the person trusts the folder. Default: yes. */
  readonly trusted?: boolean;
  /** Puts more into the folder before VS Code opens it; what it returns are settings. */
  readonly prepare?: (workspace: string) => Promise<Readonly<Record<string, unknown>> | void>;
}

export interface Session {
  readonly theme: keyof typeof THEMES;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly size: { readonly width: number; readonly height: number };
}

/** One workbench, one story; `look` is given the page. */
export async function tell(
  { theme, size, settings: ofSession = {} }: Session,
  { story, settings = {}, trusted = true, prepare }: Told,
  look: (name: string, page: Workbench['page']) => Promise<void>,
): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'virtiofs-pictures-'));
  const workspace = join(scratch, 'project');
  // The person's home: paths are shown as they are written from there. What has been fetched is not fetched again.
  await symlink(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), join(scratch, '.cache'));
  await makeProject(workspace);
  const prepared = (await prepare?.(workspace)) ?? {};
  const workbench = await openWorkbench({
    server: await getVscode(),
    workspace,
    // As people have it; its path is then no place of this machine.
    extensions: [await stagedExtension(process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64', scratch)],
    installed: true,
    env: { HOME: scratch, XDG_CACHE_HOME: undefined },
    trusted,
    size,
    settings: { ...storySettings, 'workbench.colorTheme': THEMES[theme], ...settings, ...prepared, ...ofSession },
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
