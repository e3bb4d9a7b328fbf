import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { arrivalsBefore } from '../../k6/lib/sine.js';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import type { Verdict } from '../wave/verdicts.js';
import type { WaveOptions } from '../wave/wave-options.js';
import { type K6Request, readK6Csv } from './k6-csv.js';
import type { K6Program } from './k6-program.js';
import type { Load, LoadResult } from './load.js';
import { Said } from './said.js';
import type { Workplace } from './workplace.js';

const SCRIPT = fileURLToPath(new URL('../../../k6/sine.js', import.meta.url));
/** The scenario of k6/run.js that posts orders. */
const SCENARIO = 'orders';
/** k6's exit code when the run went through and a threshold was crossed. */
const CROSSED = 99;

/** What k6/summary.js writes. */
interface K6Summary {
  readonly verdicts: readonly {
    readonly name: string;
    readonly rule: string;
    readonly ok: boolean;
    readonly seen: number;
  }[];
  readonly metrics: Readonly<Record<string, { readonly count?: number } | undefined>>;
}

/** Real k6 with k6/sine.js. */
export class K6Load implements Load {
  readonly name: string;
  readonly latencyMeans = 'from sending a request to the end of its answer';
  readonly #k6: K6Program;
  readonly #workplace: Workplace;

  constructor(k6: K6Program, workplace: Workplace) {
    this.#k6 = k6;
    this.#workplace = workplace;
    this.name = `k6 ${k6.version}`;
  }

  commandLine(target: WaveOptions): string {
    const { URL: _, ADMIN_URL: __, ...shown } = settingsOf(target);
    return `k6 run ${environment(shown).join(' ')} k6/sine.js`;
  }

  async drive(target: WaveOptions): Promise<LoadResult> {
    const { folder } = this.#workplace;
    const [summaryFile, csvFile] = [join(folder, 'summary.json'), join(folder, 'requests.csv')];
    await this.#run({ ...settingsOf(target), SUMMARY: summaryFile }, csvFile);
    const summary = JSON.parse(await readFile(summaryFile, 'utf8')) as K6Summary;
    const requests = await readK6Csv(csvFile, SCENARIO);
    // The next run must not be taken for this one.
    await Promise.all([rm(summaryFile), rm(csvFile)]);
    return resultOf(target, summary, requests);
  }

  async #run(settings: Readonly<Record<string, string>>, csvFile: string): Promise<void> {
    const args = ['run', '--quiet', '--no-usage-report', '--out', `csv=${csvFile}`];
    const env = { ...process.env, K6_CSV_TIME_FORMAT: 'unix_micro' };
    const all = [...args, ...environment(settings), SCRIPT];
    const child = this.#workplace.children.start(this.#k6.file, all, { env });
    const said = new Said(child);
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0 && code !== CROSSED) {
      throw new OperatorFault(`story: k6 ended with code ${code}: ${said.lastLine}`, EXIT.failed);
    }
  }
}

function settingsOf({ url, adminUrl, mode, wave, limitRps, drainRps }: WaveOptions) {
  return {
    URL: url,
    ADMIN_URL: adminUrl ?? '',
    MODE: mode,
    PERIOD: `${wave.periodS}`,
    PERIODS: `${wave.periods}`,
    ...(mode === 'direct' ? { LIMIT: `${limitRps}` } : { DRAIN_RATE: `${drainRps}` }),
  };
}

function environment(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
}

function resultOf(
  { wave }: WaveOptions,
  { verdicts, metrics }: K6Summary,
  requests: readonly K6Request[],
): LoadResult {
  const sent = requests.map(({ atMs, latencyMs }) => atMs - latencyMs);
  // The first request is due a little after time 0: when the integral of the rate reaches 1.
  const startMs =
    sent.reduce((least, ms) => Math.min(least, ms), Infinity) - firstDueS(wave) * 1000;
  return {
    startMs,
    offered: metrics[`iterations{scenario:${SCENARIO}}`]?.count ?? 0,
    dropped: metrics.dropped_iterations?.count ?? 0,
    answers: requests.map(({ atMs, status, latencyMs }) => [
      (atMs - startMs) / 1000,
      status,
      latencyMs,
    ]),
    verdicts: verdicts.map(verdictOf),
  };
}

function verdictOf({ name, rule, ok, seen }: K6Summary['verdicts'][number]): Verdict {
  return { ok, text: `${name}: ${rule} (seen ${Math.round(seen * 10_000) / 10_000})` };
}

function firstDueS(wave: WaveOptions['wave']): number {
  let tS = 0;
  while (arrivalsBefore(tS, wave) < 1 && tS < 1) tS += 0.001;
  return tS;
}
