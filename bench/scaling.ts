/**
 * `npm run bench:scaling`: the CPU time of an order in each kind of thread, with 1, 2 and 4 intake threads. Not a rate, because
 * the generator and all threads share the cores of one machine. With `--instructions` it counts instead, with valgrind, the
 * instructions of the intake and of the bare server. With `--check` it checks the arithmetic of docs/guides/scaling.md.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { benchFlags } from './flags.js';
import { countInstructions, valgrindProgram } from './guard/instructions.js';
import { postOrders, wrkProgram } from './load.js';
import { checkPredictions } from './scaling/check.js';
import { measured, type ScalingFigure, sumUs } from './scaling/measure.js';

const THREADS = [1, 2, 4];
/** More than V8 needs to compile the path. */
const COUNTED_ORDERS = 20_000;

function table(figures: readonly ScalingFigure[]): string {
  const lines = [
    '| journal | drain | intake threads | orders/s | orders per frame | intake µs | drain µs | pool µs | other µs | nats-server µs | sum µs | peak memory MB |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const figure of figures) {
    const { intakeUs, drainUs, poolUs, otherUs, natsUs } = figure;
    const parts = [intakeUs, drainUs, poolUs, otherUs, natsUs, sumUs(figure)];
    const cells = [
      figure.journal,
      figure.drain,
      figure.threads,
      Math.round(figure.ordersPerS).toLocaleString('en'),
      figure.ordersPerFrame.toFixed(0),
      ...parts.map((us) => us.toFixed(2)),
      figure.residentMb.toFixed(0),
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

/** By program of bench/servers; null without valgrind. */
async function instructionCounts(): Promise<Record<string, number> | null> {
  const valgrind = await valgrindProgram().catch((error: Error) => {
    console.error(`cannot count instructions: ${error.message}`);
    return null;
  });
  if (valgrind === null) return null;
  const counts: Record<string, number> = {};
  for (const program of ['bare', 'intake-only']) {
    counts[program] = await instructionsPerOrder(valgrind, program);
    console.log(`${program}: ${Math.round(counts[program])} instructions per order in user space`);
  }
  return counts;
}

/**
 * Instructions in user space of a server's process per order. Start and compilation cancel out: the difference of two runs, one
 * with twice as many orders.
 *
 * @param program in bench/servers; prints its URL
 */
async function instructionsPerOrder(valgrind: string, program: string): Promise<number> {
  const file = fileURLToPath(new URL(`./servers/${program}.js`, import.meta.url));
  const [once, twice] = await Promise.all(
    [COUNTED_ORDERS, 2 * COUNTED_ORDERS].map((orders) =>
      countInstructions(valgrind, [file], (url) => postOrders(url, orders)),
    ),
  );
  return (twice! - once!) / COUNTED_ORDERS;
}

async function main(): Promise<void> {
  const values = benchFlags({
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '256' },
    only: { type: 'string', default: '' },
    instructions: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string', default: '' },
  });
  if (values.instructions) {
    const counts = await instructionCounts();
    if (values.json !== '') writeFileSync(values.json, `${JSON.stringify(counts, null, 2)}\n`);
    return;
  }
  const wrk = await wrkProgram();
  if (values.check) {
    const { rounds, only } = values;
    const checked = await checkPredictions({ wrk, rounds: Number(rounds), only });
    if (values.json !== '') writeFileSync(values.json, `${JSON.stringify(checked, null, 2)}\n`);
    return;
  }
  const [seconds, connections] = [Number(values.seconds), Number(values.connections)];
  const figures: ScalingFigure[] = [];
  for (const journal of ['local', 'jetstream'] as const) {
    for (const drain of ['off', 'on'] as const) {
      for (const threads of THREADS) {
        const setting = { journal, drain, threads, seconds, connections, batch: 1, cpus: null };
        if (!`${journal} ${drain} ${threads}`.includes(values.only)) continue;
        figures.push(await measured(wrk, setting));
      }
    }
  }
  console.log(table(figures));
  if (values.json !== '') writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
