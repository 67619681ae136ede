/** A VS Code server and one browser page with its workbench, for tests and pictures; everything ended by `close`. */
import { type Browser, type Page, chromium } from 'playwright-core';
import { type ServerOptions, startServer } from './server';

export const CHROMIUM = '/usr/bin/chromium';

export interface WorkbenchOptions extends ServerOptions {
  readonly size?: { readonly width: number; readonly height: number };
  /** Further arguments of the browser. */
  readonly browserArgs?: readonly string[];
  /** Called before the page loads. */
  prepare?(page: Page): Promise<void>;
}

export interface Workbench {
  page: Page;
  /** Shares that are started with this XDG_RUNTIME_DIR are seen in it. */
  runtime: string;
  /** The server's log so far. */
  log(): string;
  close(): Promise<void>;
}

export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const server = await startServer(options);
  let browser: Browser | undefined;
  const close = async (): Promise<void> => {
    await browser?.close();
    await server.close();
  };
  try {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--disable-background-networking',
        '--disable-sync',
        ...(options.browserArgs ?? []),
      ],
    });
    const page = await browser.newPage({ viewport: options.size ?? { width: 1280, height: 800 } });
    page.on('dialog', (dialog) => void dialog.accept());
    await options.prepare?.(page);
    await page.goto(server.url, { waitUntil: 'domcontentloaded' });
    return { page, runtime: server.runtime, log: server.log, close };
  } catch (error) {
    await close();
    throw error;
  }
}
