import { readFileSync } from 'node:fs';
import { Cells } from '../memory/cells.js';
import { CELLS_PER_THREAD, GAUGE } from './layout.js';

export interface NamedThread {
  readonly name: string;
  /** The kernel's thread id; 0 if unknown. */
  readonly tid: number;
}

export interface NamedValue {
  readonly name: string;
  readonly value: number;
}

/** The unit of CPU times in /proc is 1/USER_HZ seconds; USER_HZ is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Over a shorter time, one tick more or less would be visible. */
const SAMPLE_MS_MIN = 250;

interface Sample {
  readonly ticks: number;
  readonly atMs: number;
}

/**
 * How busy each thread is, computed at the scrape in the main thread; nothing runs between scrapes. Values that are not
 * known (on other systems than Linux, or for a thread that did not exist at the last scrape) are left out.
 */
export class ThreadLoad {
  readonly #counted: readonly { readonly name: string; readonly cells: Cells }[];
  readonly #others: () => readonly NamedThread[];
  #samples = new Map<number, Sample>();
  #ratios: NamedValue[] = [];
  #sampledAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param counts memory made by `createCounts`
   * @param names of the threads with a block in it, by index; each runs `publishThreadStats`
   * @param others threads without a block: those of the pool
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

  /** Seconds, for the threads with a block. */
  eventLoopLags(): NamedValue[] {
    return this.#counted.map(({ name, cells }) => ({ name, value: cells.read(GAUGE.lagSeconds) }));
  }

  /** Share of one core, 0 to 1, since the last call at least 250 ms ago. */
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

/** Limited to 1: a tick at the edge of the interval can make the ratio larger than a thread can reach. */
function ratio(before: Sample, after: Sample): number {
  const seconds = (after.atMs - before.atMs) / 1000;
  return Math.min(1, Math.max(0, (after.ticks - before.ticks) / TICKS_PER_SECOND / seconds));
}

/** User and system time of a thread of this process, or null if there is no such thread. */
function cpuTicks(tid: number): number | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/self/task/${tid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // proc(5): field 2 is the name in parentheses, which can contain spaces and parentheses. utime and stime are fields 14
  // and 15, so 11 and 12 counted from 0 after the name.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
