import { timelineFrame, timelineWorkbench, openFile, whenComplete } from './timelineWorkbench';
import { sampleCapture } from './sampleCapture';

const themes = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  hc: 'Default High Contrast',
  hcl: 'Default High Contrast Light',
};
async function main(): Promise<void> {
  const which = (process.argv[2] ?? 'dark').split(',') as (keyof typeof themes)[];
  const workbench = await timelineWorkbench(
    { 'build.fuse.pcapng': sampleCapture().bytes() },
    { 'workbench.colorTheme': themes[which[0]] },
  );
  const { page } = workbench;
  page.on('console', (m) => {
    if (/timeline|webview/i.test(m.text()) || m.location().url.includes('timeline'))
      console.log(m.type(), m.text().slice(0, 300));
  });
  page.on('pageerror', (e) => console.log('PAGEERROR', (e.stack ?? e.message).slice(0, 900)));
  try {
    for (const theme of which) {
      await page.setViewportSize({ width: 1440, height: 900 });
      await openFile(page, 'build.fuse.pcapng');
      const frame = timelineFrame(page);
      try {
        await whenComplete(frame);
      } catch (e) {
        await page.screenshot({ path: `/tmp/tl/${theme}-fail.png` });
        console.log(workbench.log().slice(-2000));
        throw e;
      }
      await page.waitForTimeout(600);
      await page.screenshot({ path: `/tmp/tl/${theme}-all.png` });
      const surface = frame.locator('#lanes');
      await surface.focus();
      for (let i = 0; i < 4; i++) {
        await page.keyboard.press('+');
        await page.waitForTimeout(200);
      }
      const box = (await surface.boundingBox())!;
      for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowRight');
      await page.waitForTimeout(500);
      await page.screenshot({ path: `/tmp/tl/${theme}-zoom.png` });
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await frame.getByRole('tab', { name: 'Statistics' }).click();
      await page.waitForTimeout(500);
      await page.screenshot({ path: `/tmp/tl/${theme}-stats.png` });
      await frame.getByRole('tab', { name: 'Requests' }).click();
      await page.setViewportSize({ width: 760, height: 900 });
      await page.waitForTimeout(500);
      await page.screenshot({ path: `/tmp/tl/${theme}-narrow.png` });
    }
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
