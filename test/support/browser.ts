import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { toolPath } from './program.js';

const FLAGS = [
  // Chromium has no sandbox for root; it opens only our own page here.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A real Chromium without a window, with its own profile. @throws Error that says how to get it */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.FOREBAY_CHROMIUM || (await toolPath('chromium'));
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}

/** A page, and what its browser reports: errors, refused loads, violations of the content policy. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  return { page, complaints };
}
