import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { samplesOf } from '../metrics/exposition.js';
import { openPage } from '../support/browser.js';
import { HANG_MS_MAX } from '../support/deadline.js';
import type { ForebayProcess } from '../support/forebay.js';
import { namedValues, pixelsOf } from './in-page.js';

const UNITS: Readonly<Record<string, number>> = {
  ms: 1e-3,
  s: 1,
  min: 60,
  h: 3600,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Converts "1,234", "37/s", "12 ms", "2 min 5 s", "4.2 MiB" to the number in /metrics. */
export function numberIn(text: string): number {
  const parts = text.replaceAll(',', '').matchAll(/([\d.]+)(?: (ms|s|min|h|[KMGT]iB)\b)?/g);
  let sum = Number.NaN;
  for (const [, digits, unit = 's'] of parts) {
    sum = (Number.isNaN(sum) ? 0 : sum) + Number(digits) * UNITS[unit]!;
  }
  return sum;
}

/** The live page of a server, open in a browser. */
export class LivePage {
  readonly page: Page;
  /** Errors and warnings of the browser. */
  readonly complaints: readonly string[];

  private constructor(page: Page, complaints: readonly string[]) {
    this.page = page;
    this.complaints = complaints;
  }

  static async open(
    browser: Browser,
    { adminUrl }: ForebayProcess,
    options?: BrowserContextOptions,
  ): Promise<LivePage> {
    const { page, complaints } = await openPage(browser, options);
    const live = new LivePage(page, complaints);
    await page.goto(adminUrl);
    await live.is('live');
    return live;
  }

  /** Waits until the page shows this state of its connection. */
  async is(connection: 'live' | 'lost'): Promise<void> {
    await this.page.waitForSelector(`body[data-connection=${connection}]`, {
      timeout: HANG_MS_MAX,
    });
  }

  /** The value with this label in a panel's legend. */
  async value(panel: string, label: string): Promise<string> {
    const item = this.page.locator(`#${panel} .item`, {
      has: this.page.locator(`dt:text-is("${label}")`),
    });
    return (await item.locator('.value').textContent())!;
  }

  async number(panel: string, label: string): Promise<number> {
    return numberIn(await this.value(panel, label));
  }

  /** Waits until the value is at least this. */
  async reaches(panel: string, label: string, least: number): Promise<void> {
    const deadline = performance.now() + HANG_MS_MAX;
    for (let value = Number.NaN; !(value >= least); ) {
      if (performance.now() > deadline)
        throw new Error(`${panel} ${label}: ${value}, not ${least}`);
      await this.page.waitForTimeout(50);
      value = await this.number(panel, label);
    }
  }

  async text(selector: string): Promise<string> {
    return (await this.page.textContent(selector)) ?? '';
  }

  /** The figure and the note of the tile with this label; null without such a tile. */
  async tile(label: string): Promise<{ figure: string; note: string } | null> {
    const tile = this.page.locator('.tile', {
      has: this.page.locator(`dt:text-is("${label}")`),
    });
    if ((await tile.count()) === 0) return null;
    const text = async (part: string) => (await tile.locator(part).textContent())!;
    return { figure: await text('.figure'), note: await text('.note') };
  }

  /** The labels of all tiles. */
  tiles(): Promise<string[]> {
    return this.page.locator('.tile dt').allTextContents();
  }

  pixels(panel: string, color: string): Promise<number> {
    return this.page.evaluate(pixelsOf, [panel, color] as const);
  }

  /**
   * Waits until the page shows what /metrics has, for every series that it names.
   *
   * @returns the panels that name one
   * @throws Error that says what differs
   */
  async showsMetrics(server: ForebayProcess): Promise<Set<string>> {
    const deadline = performance.now() + HANG_MS_MAX;
    for (;;) {
      const shown = await this.page.evaluate(namedValues);
      const known = await samples(server);
      const faults = shown
        .filter(({ series, text }) => !agrees(series, text, known))
        .map(({ series, text, panel }) => `${panel}: ${series} ${text}, not ${known.get(series)}`);
      if (faults.length === 0) return new Set(shown.map(({ panel }) => panel));
      if (performance.now() > deadline) throw new Error(faults.join('\n'));
      await this.page.waitForTimeout(100);
    }
  }
}

export async function samples({ adminUrl }: ForebayProcess): Promise<Map<string, number>> {
  return samplesOf(await (await fetch(`${adminUrl}/metrics`)).text());
}

function agrees(series: string, text: string, known: ReadonlyMap<string, number>): boolean {
  if (series === 'forebay_durability_info') {
    return [...known.keys()].some((name) => name.startsWith(`${series}{class="${text}"`));
  }
  const value = known.get(series);
  // /metrics measures since the last scrape, the page over the last second; unknown before the second measurement.
  if (series.startsWith('forebay_thread_cpu_ratio')) {
    return text === '–' || (value !== undefined && /^\d+ %$/.test(text));
  }
  if (value === undefined) return false;
  // They change all the time.
  if (series.endsWith('_bytes')) return Math.abs(numberIn(text) - value) < 2 ** 26 + value * 0.1;
  // Times advance between the two readings, and the page rounds them.
  const tolerance = series.includes('_seconds') ? 1 + value * 0.1 : 0;
  return Math.abs(numberIn(text) - value) <= tolerance;
}
