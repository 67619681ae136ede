import { join } from 'node:path';
import { command, timelineFrame, timelineWorkbench } from './timelineWorkbench';
import { sampleWindow } from './sampleWindow';

const themes = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  hc: 'Default High Contrast',
  hcl: 'Default High Contrast Light',
};
async function main(): Promise<void> {
  const theme = (process.argv[2] ?? 'dark') as keyof typeof themes;
  const count = Number(process.argv[3] ?? 128);
  const workbench = await timelineWorkbench(
    { 'window.fuse.pcapng': sampleWindow(count, count > 1000 ? 6000 : 6 * count) },
    { 'workbench.colorTheme': themes[theme] },
  );
  const { page } = workbench;
  page.on('pageerror', (e) => console.log('PAGEERROR', (e.stack ?? e.message).slice(0, 900)));
  const shot = (name: string): Promise<unknown> =>
    page.screenshot({ path: join('/tmp/daxshots', `${theme}-${count}-${name}.png`) });
  try {
    await page.setViewportSize({ width: 1280, height: 1000 });
    const item = page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'window.fuse' }).first();
    await item.click({ button: 'right' });
    await page.getByText('Open Capture in Views').first().click();
    await page.waitForTimeout(3000);
    await shot('a-opened');
    await command(page, 'Virtio-FS: Focus on DAX Window View').catch(() => undefined);
    await page.waitForTimeout(300);
    const frame = timelineFrame(page);
    await frame
      .locator('#dax[data-ranges]')
      .waitFor({ timeout: 20000 })
      .catch((e) => console.log(String(e).slice(0, 200)));
    for (const view of ['Shares', 'Requests', 'Inodes and Handles', 'Findings']) {
      const header = page.locator('.pane-header[aria-expanded="true"]', { hasText: view }).first();
      if (await header.isVisible()) await header.click();
    }
    await page.waitForTimeout(800);
    await shot('b-narrow');
    const grid = frame.locator('#grid');
    await grid.focus();
    await page.keyboard.press('Home');
    for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
    await page.waitForTimeout(400);
    await shot('c-selected');
    const box = (await grid.boundingBox())!;
    await page.mouse.move(box.x + 60, box.y + 40);
    await frame.locator('input[type=search]').fill('orders');
    await page.waitForTimeout(300);
    await page.mouse.move(box.x + 64, box.y + 44);
    await page.waitForTimeout(300);
    await shot('d-find');
    await frame.locator('input[type=search]').fill('');
    // Wider.
    const sash = page.locator('.monaco-sash.vertical').filter({ visible: true });
    const side = (await page.locator('.part.sidebar').boundingBox())!;
    void sash;
    await page.mouse.move(side.x + side.width, 500);
    await page.mouse.down();
    await page.mouse.move(1150, 500, { steps: 5 });
    await page.mouse.up();
    await frame.locator('select').selectOption('churn');
    await page.waitForTimeout(800);
    await shot('e-wide');
    await frame.locator('select').selectOption('age');
    await frame.locator('input[type=range]').fill('700');
    await page.waitForTimeout(600);
    await shot('f-past');
  } finally {
    await workbench.close();
  }
}
void main().then(
  () => process.exit(0),
  (e) => {
    console.error(e);
    process.exit(1);
  },
);
