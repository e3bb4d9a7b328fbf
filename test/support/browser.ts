import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const FLAGS = [
  // Root has no sandbox; what is opened here is our own page alone.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A real Chromium without a window, on a profile of its own. @throws Error that says how to get one */
export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.FOREBAY_CHROMIUM;
  if (!executablePath) {
    throw new Error(
      'no Chromium on this machine: apt-get install chromium, or set FOREBAY_CHROMIUM to its path',
    );
  }
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}

/** A page, and what its browser complained of: errors, refused loads, breaches of the policy. */
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
