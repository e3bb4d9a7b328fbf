/** What a scrape of /metrics takes of the main thread, with many intake threads: `npm run bench:scrape`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type ForebayProcess, startForebay } from '../test/support/forebay.js';
import { OrderClient } from '../test/support/orders.js';
import { median } from './spread.js';

/** What is allowed, of the main thread's CPU time. */
const SCRAPE_MS_MAX = 5;
/** Beyond the pause under which the CPU time of the threads is not looked up again. */
const PAUSE_MS = 300;
const NS_PER_MS = 1e6;

export interface ScrapeSize {
  readonly threads: number;
  readonly rounds: number;
  /** Scrapes of a round, one right after the other; a tenth as many with pauses. */
  readonly scrapes: number;
}

export interface ScrapeFigures {
  readonly bytes: number;
  /** CPU time of the main thread for one scrape, medians over the rounds; HTTP included. */
  readonly atOnceMs: number;
  /** The same where each scrape looks up what CPU time each thread has used, as one every few seconds does. */
  readonly withPausesMs: number;
}

/** On a real server; counts are not 0, for a 0 is quicker to write. */
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
    // Until it has been compiled.
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

/** What the main thread does without being asked is measured first, and taken off. */
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
  const before = { cpuMs: mainThreadMs(pid), atMs: performance.now() };
  await work();
  return {
    cpuMs: mainThreadMs(pid) - before.cpuMs,
    elapsedMs: performance.now() - before.atMs,
  };
}

/** CPU time of a process's main thread so far; proc(5): the first field, in nanoseconds. Linux only. */
function mainThreadMs(pid: number): number {
  const [onCpuNs] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
  return Number(onCpuNs) / NS_PER_MS;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const threads = 16;
  const { bytes, atOnceMs, withPausesMs } = await scrapeBench({ threads, rounds: 5, scrapes: 300 });
  const verdict = (ms: number) =>
    ms < SCRAPE_MS_MAX ? `below ${SCRAPE_MS_MAX}` : `MISSED ${SCRAPE_MS_MAX}`;
  console.log(`${threads} intake threads, ${bytes} bytes, Node ${process.version}\n`);
  console.log('| scrapes of /metrics | CPU of the main thread, ms each | meant |');
  console.log('|---|---|---|');
  console.log(`| one after the other | ${atOnceMs.toFixed(2)} | ${verdict(atOnceMs)} |`);
  console.log(
    `| one every ${PAUSE_MS} ms | ${withPausesMs.toFixed(2)} | ${verdict(withPausesMs)} |`,
  );
  if (Math.max(atOnceMs, withPausesMs) >= SCRAPE_MS_MAX) process.exitCode = 1;
}
