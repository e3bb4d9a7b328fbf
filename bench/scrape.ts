/** `npm run bench:scrape`: the main thread's CPU time for a scrape of /metrics, with many intake threads. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type ForebayProcess, startForebay } from '../test/support/forebay.js';
import { OrderClient } from '../test/support/orders.js';
import { threadCpuMs } from './process-figures.js';
import { median } from './spread.js';

/** Longer than the server caches the CPU times of its threads. */
const PAUSE_MS = 300;

export interface ScrapeSize {
  readonly threads: number;
  readonly rounds: number;
  /** Scrapes per round without pauses; a tenth as many with pauses. */
  readonly scrapes: number;
}

export interface ScrapeFigures {
  readonly bytes: number;
  /** CPU time of the main thread per scrape, HTTP included; median of the rounds. */
  readonly atOnceMs: number;
  /** The same if each scrape also reads the CPU time of every thread, as scrapes every few seconds do. */
  readonly withPausesMs: number;
}

/** Runs a real server. Orders are posted first, because zeros are quicker to write. */
export async function scrapeBench({
  threads,
  rounds,
  scrapes,
}: ScrapeSize): Promise<ScrapeFigures> {
  const forebay = await startForebay(['--threads', `${threads}`, '--workers', '1']);
  const client = new OrderClient(forebay.url);
  try {
    const names = Array.from({ length: 500 }, (_, i) => `customer-${i}`);
    const answers = await client.postAll(names);
    assert.ok(answers.every(({ status }) => status === 200));
    const accepted = `\nforebay_orders_accepted_total ${names.length}\n`;
    const scrape = async () => {
      const text = await (await fetch(`${forebay.adminUrl}/metrics`)).text();
      assert.ok(text.includes(accepted));
      assert.ok(text.includes(`thread="intake-${threads - 1}"`));
      return text.length;
    };
    // Warm-up.
    for (let i = 0; i < scrapes; i++) await scrape();
    const bytes = await scrape();
    const atOnce: number[] = [];
    const withPauses: number[] = [];
    for (let round = 0; round < rounds; round++) {
      atOnce.push(await costMs(forebay, scrapes, scrape));
      withPauses.push(
        await costMs(forebay, Math.ceil(scrapes / 10), async () => {
          await sleep(PAUSE_MS);
          await scrape();
        }),
      );
    }
    return { bytes, atOnceMs: median(atOnce), withPausesMs: median(withPauses) };
  } finally {
    client.close();
    await forebay.stop();
  }
}

/** Per call of `work`, without what the main thread uses when idle. */
async function costMs(
  { pid }: ForebayProcess,
  times: number,
  work: () => Promise<unknown>,
): Promise<number> {
  const idle = await spent(pid, () => sleep(1000));
  const busy = await spent(pid, async () => {
    for (let i = 0; i < times; i++) await work();
  });
  return Math.max(0, busy.cpuMs - (idle.cpuMs / idle.elapsedMs) * busy.elapsedMs) / times;
}

async function spent(pid: number, work: () => Promise<unknown>) {
  const before = { cpuMs: threadCpuMs(pid).mainMs, atMs: performance.now() };
  await work();
  return {
    cpuMs: threadCpuMs(pid).mainMs - before.cpuMs,
    elapsedMs: performance.now() - before.atMs,
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const threads = 16;
  const { bytes, atOnceMs, withPausesMs } = await scrapeBench({ threads, rounds: 5, scrapes: 300 });
  console.log(`${threads} intake threads, ${bytes} bytes, Node ${process.version}\n`);
  console.log('| scrapes of /metrics | CPU of the main thread, ms each |');
  console.log('| --- | --- |');
  console.log(`| without pauses | ${atOnceMs.toFixed(2)} |`);
  console.log(`| every ${PAUSE_MS} ms | ${withPausesMs.toFixed(2)} |`);
}
