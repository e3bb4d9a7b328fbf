import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, createReadStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { arrivalsBefore } from '../../k6/lib/sine.js';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import type { WaveOptions } from '../wave/options.js';
import type { Verdict } from '../wave/verdicts.js';
import type { Load, LoadResult } from './load.js';
import { Said, type Workplace } from './processes.js';

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

/** Where scripts/tools.mjs keeps the programs that it gets. */
const TOOLS = fileURLToPath(new URL('../../../.tools/bin', import.meta.url));
const VERSION_MS_MAX = 10_000;

export interface K6Program {
  readonly file: string;
  /** Such as `1.8.1`. */
  readonly version: string;
}

/** @returns k6 from PATH, else from .tools; null when there is none that runs */
export async function findK6(): Promise<K6Program | null> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...folders, TOOLS]) {
    const file = join(folder, 'k6');
    if (!isExecutable(file)) continue;
    const version = await versionOf(file);
    if (version !== null) return { file, version };
  }
  return null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function versionOf(file: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(file, ['version'], { timeout: VERSION_MS_MAX });
    return /\bv?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}

/** One request, as k6's CSV output has it. */
export interface K6Request {
  /** Epoch milliseconds at which the answer had arrived. */
  readonly atMs: number;
  readonly status: number;
  readonly latencyMs: number;
}

const METRIC = 'http_req_duration';
const COLUMNS = ['metric_name', 'timestamp', 'metric_value', 'scenario', 'status'] as const;

/**
 * Reads the requests of one scenario out of the file that `--out csv=FILE` writes, with
 * K6_CSV_TIME_FORMAT=unix_micro.
 *
 * @throws OperatorFault it is not such a file
 */
export async function readK6Csv(file: string, scenario: string): Promise<K6Request[]> {
  const requests: K6Request[] = [];
  let places: readonly number[] | null = null;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (places === null) {
      places = placesOf(line);
      continue;
    }
    if (!line.startsWith(`${METRIC},`)) continue;
    const cells = cellsOf(line);
    const [, micros, value, from, status] = places.map((place) => cells[place]);
    if (from !== scenario) continue;
    requests.push({
      atMs: Number(micros) / 1000,
      status: Number(status),
      latencyMs: Number(value),
    });
  }
  return requests;
}

function placesOf(header: string): number[] {
  const names = cellsOf(header);
  return COLUMNS.map((column) => {
    const place = names.indexOf(column);
    if (place === -1) {
      throw new OperatorFault(`story: k6's CSV output has no column ${column}`, EXIT.failed);
    }
    return place;
  });
}

/** The cells of one line; a quoted one may hold commas. */
function cellsOf(line: string): string[] {
  return Array.from(
    line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g),
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}
