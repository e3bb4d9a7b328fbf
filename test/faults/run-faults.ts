/** Runs faults and judges the results: see docs/reference/faults.md. */
import { rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { faultOrder } from '../../drills/ledger/orders.js';
import { brokenGuarantees, judge, type Verdict } from '../../drills/ledger/verdict.js';
import { faults } from './catalogue.js';
import { type FaultOptions, faultOptions, USAGE } from './command-line.js';
import type { Fault } from './fault.js';
import { latencyOf, lineOf, type Report, tableOf } from './report.js';
import { Stage } from './stage.js';

/** In dist, which is not under version control. */
const RUNS = fileURLToPath(new URL('../../faults-runs', import.meta.url));
const NO_LATENCY = { p99: 0, max: 0 };

async function runOnce(
  fault: Fault,
  seed: number,
  options: FaultOptions,
  signal: AbortSignal,
): Promise<Report> {
  const lack = fault.lack?.() ?? '';
  const report = { fault: fault.name, seed, verdict: null, latencyMs: NO_LATENCY, seconds: 0 };
  if (lack) return { ...report, wrong: [], skipped: lack };
  const startedMs = performance.now();
  const folder = join(RUNS, `${fault.name}-${seed}`);
  rmSync(folder, { recursive: true, force: true });
  const stage = new Stage({ ...options, folder, seed, signal });
  const wrong: string[] = [];
  let verdict: Verdict | null = null;
  try {
    await fault.run(stage);
    verdict = await judgeStage(stage);
    wrong.push(...brokenGuarantees(verdict, fault.guarantees));
  } catch (error) {
    if (!signal.aborted) console.error(error);
    wrong.push((error as Error).message.split('\n')[0]!);
  } finally {
    await stage.close();
  }
  wrong.push(...stage.problems);
  const latencyMs = stage.sent === null ? NO_LATENCY : latencyOf(stage.sent);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  saveOutcome(stage, verdict, wrong);
  return { ...report, verdict, latencyMs, seconds, wrong, skipped: '' };
}

async function judgeStage(stage: Stage): Promise<Verdict> {
  return judge({
    sent: stage.sent!,
    processings: await stage.processed!.processings(),
    wasKilled: (runner) => stage.wasKilled(runner),
    contentOf: (sequence) => faultOrder(stage.seed, sequence),
  });
}

/** Saves the verdict of each order; of a failed run, also logs and data. */
function saveOutcome(stage: Stage, verdict: Verdict | null, wrong: readonly string[]): void {
  const { folder, seed, sent } = stage;
  const outcome = { seed, wrong, ...verdict, statuses: sent && [...sent.statuses], ids: sent?.ids };
  if (wrong.length === 0) rmSync(folder, { recursive: true, force: true });
  const file = wrong.length === 0 ? `${folder}.json` : join(folder, 'outcome.json');
  writeFileSync(file, `${JSON.stringify(outcome)}\n`);
  if (wrong.length > 0) console.log(`  saved: ${relative(process.cwd(), folder)}`);
}

function chosen({ only, isShort }: FaultOptions): readonly Fault[] {
  const found = faults.filter(({ name, isLongOnly }) =>
    only.length === 0 ? !(isShort && isLongOnly) : only.some((begin) => name.startsWith(begin)),
  );
  if (found.length === 0) throw new Error(`no such fault: ${only.join(', ')}; see --list`);
  return found;
}

async function main(args: readonly string[]): Promise<void> {
  const options = faultOptions(args);
  const wanted = chosen(options);
  if (options.isList) {
    for (const { name, what } of wanted) console.log(`${name.padEnd(24)} ${what}`);
    return;
  }
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.abort());
  console.log(`seed ${options.seed}, ${options.rate} orders/s`);
  const reports: Report[] = [];
  for (const fault of wanted) {
    for (let i = 0; i < options.times && !ending.signal.aborted; i++) {
      const report = await runOnce(fault, options.seed + i, options, ending.signal);
      reports.push(report);
      console.log(lineOf(report));
    }
  }
  console.log(`\n${tableOf(reports)}`);
  if (reports.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1;
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(`${error.message}\n${USAGE}`);
  process.exitCode = 2;
});
