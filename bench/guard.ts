/**
 * `npm run bench:guard`: fails when a micro-benchmark has got much slower. It knows no absolute times: ratios within one
 * process, and counts of instructions where valgrind can be had. `--slow validate` does that work four times over, to
 * see the guard fail.
 */
import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { benchFlags } from './flags.js';
import { type Bound, bounds } from './guard/bounds.js';
import { instructionsOf, valgrindProgram } from './guard/instructions.js';
import { type Guarded, guarded } from './guard/loops.js';
import { ratioOf } from './guard/ratios.js';

/** A ratio that is missed is measured again, as often as this in all: a neighbour's noise passes, slower code stays. */
const TRIES_MAX = 3;
const SLOW_TIMES = 4;

export interface GuardOptions {
  /** What is made slower on purpose. */
  readonly slow: Guarded | null;
  /** Path of valgrind; null: instructions are not counted. */
  readonly valgrind: string | null;
  readonly only?: Guarded;
}

export interface GuardFigure extends Bound {
  /** Null where it could not be measured. */
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

/** Counts do not depend on what else runs: no second try. */
async function judgeCount(
  bound: Bound,
  times: number,
  valgrind: string | null,
): Promise<GuardFigure> {
  if (valgrind === null) return { ...bound, value: null, holds: true };
  const value = await instructionsOf(valgrind, bound.guarded, times);
  return { ...bound, value, holds: isWithin(bound, value) };
}

function isWithin({ min, max }: Bound, value: number): boolean {
  return value >= min && value <= max;
}

function shown({ guarded, what, value, holds, min, max }: GuardFigure): string {
  const meant = min > 0 ? `at least ${min}` : `at most ${max}`;
  const figure = value === null ? 'not measured' : value.toFixed(value < 100 ? 1 : 0);
  return `${holds ? 'ok    ' : 'MISSED'} ${guarded}: ${what}: ${figure}, ${meant}`;
}

async function main(): Promise<void> {
  const values = benchFlags({ slow: { type: 'string' }, json: { type: 'string', default: '' } });
  const slow = (values.slow ?? null) as Guarded | null;
  if (slow !== null && !guarded.includes(slow)) {
    throw new Error(`--slow ${slow}: one of ${guarded.join(', ')}`);
  }
  const valgrind = await valgrindProgram().catch((error: Error) => {
    console.log(`only ratios are judged, for instructions cannot be counted: ${error.message}`);
    return null;
  });
  const figures = await guard({ slow, valgrind });
  for (const figure of figures) console.log(shown(figure));
  if (values.json !== '') await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`);
  if (figures.some(({ holds }) => !holds)) process.exitCode = 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
