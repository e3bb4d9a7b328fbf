/**
 * `npm run bench:guard`: fails if a micro-benchmark has become much slower. It compares ratios within one process, and instruction
 * counts if valgrind is available, never absolute times. `--slow validate` repeats that work four times, to see the guard fail.
 */
import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { benchFlags } from './flags.js';
import { type Bound, bounds } from './guard/bounds.js';
import { instructionsOf, valgrindProgram } from './guard/instructions.js';
import { clockLoop, type Guarded, guarded, type Loop, loops, parseAjvLoop } from './guard/loops.js';
import { median } from './spread.js';

/** A ratio out of bounds is measured again, up to three times in all: noise passes, slow code does not. */
const TRIES_MAX = 3;
const SLOW_TIMES = 4;
const TURNS = 50_000;
const ROUNDS = 15;

export interface GuardOptions {
  /** What is made slower on purpose, to test the guard. */
  readonly slow: Guarded | null;
  /** Path of valgrind; null: do not count instructions. */
  readonly valgrind: string | null;
  readonly only?: Guarded;
}

export interface GuardFigure extends Bound {
  /** Null if it could not be measured. */
  readonly value: number | null;
  readonly holds: boolean;
}

export async function guard({ slow, valgrind, only }: GuardOptions): Promise<GuardFigure[]> {
  const figures: GuardFigure[] = [];
  for (const bound of bounds.filter(({ guarded }) => guarded === (only ?? guarded))) {
    const times = slow === bound.guarded ? SLOW_TIMES : 1;
    figures.push(
      bound.measure === 'ratio'
        ? judgeRatio(bound, times)
        : await judgeCount(bound, times, valgrind),
    );
  }
  return figures;
}

function judgeRatio(bound: Bound, times: number): GuardFigure {
  for (let tries = 1; ; tries++) {
    const value = ratioOf(bound.guarded, times);
    const holds = isWithin(bound, value);
    if (holds || tries === TRIES_MAX) return { ...bound, value, holds };
  }
}

/** Counts do not depend on other load, so there is no second try. */
async function judgeCount(
  bound: Bound,
  times: number,
  valgrind: string | null,
): Promise<GuardFigure> {
  if (valgrind === null) return { ...bound, value: null, holds: true };
  const value = await instructionsOf(valgrind, bound.guarded, times);
  return { ...bound, value, holds: isWithin(bound, value) };
}

/** How many of one operation take the CPU time of one of another: the median of rounds in turn. */
function ratioOf(name: Guarded, times: number): number {
  const ours = loops[name](times);
  return name === 'validate' ? timed(parseAjvLoop(), ours) : timed(ours, clockLoop());
}

function timed(dividend: Loop, divisor: Loop): number {
  const ratios: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) ratios.push(cpuUs(dividend) / cpuUs(divisor));
  // The first round compiles.
  return median(ratios.slice(1));
}

/** CPU time, not wall time: other processes do not count. */
function cpuUs(loop: Loop): number {
  const begin = process.cpuUsage();
  loop(TURNS);
  const { user, system } = process.cpuUsage(begin);
  return user + system;
}

function isWithin({ min, max }: Bound, value: number): boolean {
  return value >= min && value <= max;
}

function line({ guarded, what, value, holds, min, max }: GuardFigure): string {
  const bound = min > 0 ? `at least ${min}` : `at most ${max}`;
  const figure = value === null ? 'not measured' : value.toFixed(value < 100 ? 1 : 0);
  return `${holds ? 'ok    ' : 'failed'} ${guarded}: ${what}: ${figure} (${bound})`;
}

async function main(): Promise<void> {
  const values = benchFlags({ slow: { type: 'string' }, json: { type: 'string', default: '' } });
  const slow = (values.slow ?? null) as Guarded | null;
  if (slow !== null && !guarded.includes(slow)) {
    throw new Error(`--slow ${slow}: must be one of ${guarded.join(', ')}`);
  }
  const valgrind = await valgrindProgram().catch((error: Error) => {
    console.log(`only ratios are checked; instructions cannot be counted: ${error.message}`);
    return null;
  });
  const figures = await guard({ slow, valgrind });
  for (const figure of figures) console.log(line(figure));
  if (values.json !== '') await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`);
  if (figures.some(({ holds }) => !holds)) process.exitCode = 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
