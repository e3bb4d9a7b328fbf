import { median } from '../spread.js';
import { clockLoop, type Guarded, type Loop, loops, parseAjvLoop } from './loops.js';

const TURNS = 50_000;
const ROUNDS = 15;

/** How many of the one take the processor time of one of the other: medians of rounds in turn. */
export function ratioOf(guarded: Guarded, times: number): number {
  const ours = loops[guarded](times);
  return guarded === 'validate' ? timed(parseAjvLoop(), ours) : timed(ours, clockLoop());
}

function timed(dividend: Loop, divisor: Loop): number {
  const ratios: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) ratios.push(cpuUs(dividend) / cpuUs(divisor));
  // The first round compiles.
  return median(ratios.slice(1));
}

/** Processor time: what else runs on the machine takes turns, not nanoseconds. */
function cpuUs(loop: Loop): number {
  const begin = process.cpuUsage();
  loop(TURNS);
  const { user, system } = process.cpuUsage(begin);
  return user + system;
}
