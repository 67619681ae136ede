/** Scratch: pictures of the views. */
import { mkdirSync, mkdtempSync, writeFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Traffic } from '../../extension/traffic/traffic';
import { getVscode } from './install';
import { openWorkbench } from './workbench';
const project = resolve(__dirname, '../../../..');
async function main(): Promise<void> {
  const [theme = 'Default Dark Modern', prefix = 'dark', width = '300', steps = 'all'] = process.argv.slice(2);
  const runtime = mkdtempSync(join(tmpdir(), 'virtiofs-run-'));
  const workspace = join(runtime, 'project');
  mkdirSync(workspace);
  writeFileSync(join(workspace, 'slow.fusefilter'), '# slow reads of databases\nopcode == READ && latency > 5ms\n  && path ~ "*.db" && !(error == EIO) and read.size in 4K..1M\n  or path =~ /db$/i && open.flags has O_RDWR|O_CREAT\n');
  process.env['XDG_RUNTIME_DIR'] = runtime;
  const env = { ...process.env, XDG_RUNTIME_DIR: runtime };
  const traffic = await Traffic.begin('work', ['--trace-syscalls', '--cache', 'always'], env);
  const workbench = await openWorkbench({ server: await getVscode(), workspace, extensions: [project], alone: false, settings: { 'workbench.colorTheme': theme, 'virtiofs.colorRules': [{ filter: 'opcode == WRITE', color: 'purple' }] } });
  const { page } = workbench;
  const shot = (name: string) => page.screenshot({ path: `/tmp/shots/${prefix}-${name}.png` });
  const command = async (title: string) => {
    await page.keyboard.press('F1');
    await page.locator('.quick-input-widget input').first().fill(`>${title}`);
    await page.locator('.quick-input-list .monaco-list-row', { hasText: title.replace(/^.*: /, '') }).first().waitFor();
    await sleep(300);
    await page.keyboard.press('Enter');
    await sleep(500);
  };
  const pane = async (name: string) => page.locator('.pane-header', { hasText: name }).first().click();
  try {
    await page.locator('.explorer-folders-view').getByText('slow.fusefilter').waitFor({ timeout: 60000 });
    await page.locator('.activitybar [aria-label^="Virtio-FS"]').first().click();
    await sleep(1500);
    const sash = page.locator('.split-view-container > .split-view-view').first();
    void sash;
    // sidebar width
    const box = await page.locator('.part.sidebar').boundingBox();
    if (box) {
      await page.mouse.move(box.x + box.width, 400);
      await page.mouse.down();
      await page.mouse.move(box.x + Number(width), 400, { steps: 5 });
      await page.mouse.up();
    }
    await sleep(1000);
    await traffic.order({ kind: 'work' });
    await traffic.order({ kind: 'lock' });
    await sleep(1500);
    await shot('1-time');
    await pane('Shares');
    await sleep(600);
    if (steps !== 'few') {
    const row = page.locator('.monaco-list-row', { hasText: 'READ util.h' }).first();
    await row.click();
    await page.keyboard.press('ArrowRight');
    await sleep(1200);
    await shot('2-open');
    await command('Virtio-FS: Group by File');
    await sleep(700);
    await page.locator('.monaco-list-row', { hasText: 'src' }).first().click();
    await sleep(500);
    await page.locator('.monaco-list-row', { hasText: 'main.c' }).first().click();
    await sleep(700);
    await shot('3-file');
    await command('Virtio-FS: Group by Opcode');
    await sleep(700);
    await page.locator('.monaco-list-row', { hasText: 'LOOKUP' }).first().click();
    await sleep(700);
    await shot('4-opcode');
    await command('Virtio-FS: Filter Requests');
    await page.keyboard.type('opcode == READ && lat');
    await sleep(500);
    await shot('5-filter');
    await page.keyboard.type('x > 5ms');
    await sleep(500);
    await shot('6-filtererror');
    await page.keyboard.press('Escape');
    await command('Virtio-FS: Group by Time');
    await pane('Findings');
    await sleep(700);
    await pane('Inodes and Handles');
    await sleep(1000);
    writeFileSync(join(traffic.folder, 'src', 'util.h'), 'changed\n');
    await sleep(1500);
    await shot('7-inodes');
    await traffic.order({ kind: 'work' });
    await command('Virtio-FS: Resume');
    await sleep(4000);
    await pane('Requests');
    await sleep(500);
    await page.locator('.monaco-list-row', { hasText: 'Stale in' }).first().click();
    await shot('7b-findings');
    await pane('Requests');
    await command('Virtio-FS: Show Requests as Text');
    await sleep(1500);
    await shot('8-text');
    await command('Virtio-FS: Show Every Field as Text');
    await sleep(1500);
    await shot('9-fields');
    await command('Virtio-FS: Show Timeline of This Capture');
    await sleep(4000);
    await shot('a-timeline');
    await page.keyboard.press('Control+P');
    await page.keyboard.type('slow.fusefilter');
    await sleep(800);
    await page.keyboard.press('Enter');
    await sleep(1500);
    await shot('b-filterfile');
    }
  } catch (error) {
    await shot('failed');
    throw error;
  } finally {
    await workbench.close();
    await traffic.end();
    rmSync(runtime, { recursive: true, force: true });
  }
}
void main().then(() => process.exit(0), (error: unknown) => { console.error(error); process.exit(1); });
