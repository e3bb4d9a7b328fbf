import { readFileSync } from 'node:fs';
import { Cells } from '../memory/cells.js';
import { CELLS_PER_THREAD, GAUGE } from './layout.js';

export interface NamedThread {
  readonly name: string;
  /** As the kernel counts; 0 where it is not known. */
  readonly tid: number;
}

export interface NamedValue {
  readonly name: string;
  readonly value: number;
}

/** The unit of CPU times in /proc: USER_HZ, which is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Over less than this, a tick more or less would show. */
const SAMPLE_MS_MIN = 250;

interface Sample {
  readonly ticks: number;
  readonly atMs: number;
}

/**
 * How busy each thread is, worked out at the scrape in the main thread: nothing runs in between.
 * What can't be known (another system than Linux, a thread that was not there at the last scrape)
 * is left out rather than guessed.
 */
export class ThreadLoad {
  readonly #counted: readonly { readonly name: string; readonly cells: Cells }[];
  readonly #others: () => readonly NamedThread[];
  #samples = new Map<number, Sample>();
  #ratios: NamedValue[] = [];
  #sampledAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param counts memory made by `createCounts`
   * @param names of the threads that count in it, by index; each runs `publishThread`
   * @param others threads that don't count: those of the pool
   */
  constructor(
    counts: SharedArrayBuffer,
    names: readonly string[],
    others: () => readonly NamedThread[],
  ) {
    this.#counted = names.map((name, i) => ({
      name,
      cells: new Cells(counts, i, CELLS_PER_THREAD),
    }));
    this.#others = others;
  }

  /** Seconds, of the threads that count. */
  eventLoopLags(): NamedValue[] {
    return this.#counted.map(({ name, cells }) => ({ name, value: cells.read(GAUGE.lagSeconds) }));
  }

  /** Shares of one core, 0 to 1, since the last call that was at least 250 ms ago. */
  cpuRatios(): readonly NamedValue[] {
    const nowMs = performance.now();
    if (nowMs - this.#sampledAtMs < SAMPLE_MS_MIN) return this.#ratios;
    this.#sampledAtMs = nowMs;
    const samples = new Map<number, Sample>();
    const ratios: NamedValue[] = [];
    for (const { name, tid } of this.#threads()) {
      const ticks = cpuTicks(tid);
      if (ticks === null) continue;
      const sample = { ticks, atMs: performance.now() };
      const before = this.#samples.get(tid);
      if (before !== undefined) ratios.push({ name, value: ratio(before, sample) });
      samples.set(tid, sample);
    }
    this.#samples = samples;
    this.#ratios = ratios;
    return ratios;
  }

  #threads(): NamedThread[] {
    const counted = this.#counted.map(({ name, cells }) => ({
      name,
      tid: cells.read(GAUGE.threadId),
    }));
    return [...counted, ...this.#others()].filter(({ tid }) => tid > 0);
  }
}

/** A tick that falls just inside the span may lift it over 1, which no thread can reach. */
function ratio(before: Sample, after: Sample): number {
  const seconds = (after.atMs - before.atMs) / 1000;
  return Math.min(1, Math.max(0, (after.ticks - before.ticks) / TICKS_PER_SECOND / seconds));
}

/** User and system time of a thread of this process, or null when there is no such thread. */
function cpuTicks(tid: number): number | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/self/task/${tid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // proc(5): field 2 is the name in brackets, which may hold blanks and brackets; utime and stime
  // are fields 14 and 15, so 11 and 12 when counting from 0 behind the name.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
