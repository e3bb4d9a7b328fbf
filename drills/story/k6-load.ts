import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, createReadStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { arrivalsBefore } from '../../k6/lib/sine.js';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { PATH } from '../body-file.js';
import { ProcessOutput, type Workspace } from '../processes.js';
import type { Outcome } from '../wave/drive.js';
import type { Wave, WaveOptions } from '../wave/options.js';
import type { Drive, LoadGenerator } from './load.js';

const SCRIPT = fileURLToPath(new URL('../../../k6/sine.js', import.meta.url));
/** The scenario of k6/run.js that posts orders. */
const SCENARIO = 'orders';
/** k6's exit code when the run finished and a threshold was crossed. */
const CROSSED = 99;
/** Where scripts/tools.mjs installs programs. */
const TOOLS = fileURLToPath(new URL('../../../.tools/bin', import.meta.url));
const VERSION_MS_MAX = 10_000;

const OUTCOMES: Readonly<Record<number, Outcome>> = { 200: 'created', 500: 'refused', 503: 'busy' };

/** Of what k6/summary.js writes, the part that is read here. */
interface K6Summary {
  readonly metrics: Readonly<Record<string, { readonly count?: number } | undefined>>;
}

/** Real k6 with k6/sine.js. */
export class K6Load implements LoadGenerator {
  readonly name: string;
  readonly latencyMeans = 'from sending a request to the end of its answer';
  readonly #k6: K6Program;
  readonly #workspace: Workspace;

  constructor(k6: K6Program, workspace: Workspace) {
    this.#k6 = k6;
    this.#workspace = workspace;
    this.name = `k6 ${k6.version}`;
  }

  commandLine(target: WaveOptions): string {
    const { URL: _, ADMIN_URL: __, ...shown } = settingsOf(target);
    return `k6 run ${environmentFlags(shown).join(' ')} k6/sine.js`;
  }

  async drive(target: WaveOptions): Promise<Drive> {
    const { folder } = this.#workspace;
    const [summaryFile, csvFile] = [join(folder, 'summary.json'), join(folder, 'requests.csv')];
    await this.#run({ ...settingsOf(target), SUMMARY: summaryFile }, csvFile);
    const summary = JSON.parse(await readFile(summaryFile, 'utf8')) as K6Summary;
    const requests = await readK6Csv(csvFile, SCENARIO);
    // The next run must not read the files of this one.
    await Promise.all([rm(summaryFile), rm(csvFile)]);
    return driveOf(target, summary, requests);
  }

  async #run(settings: Readonly<Record<string, string>>, csvFile: string): Promise<void> {
    const args = ['run', '--quiet', '--no-usage-report', '--out', `csv=${csvFile}`];
    const env = { ...process.env, K6_CSV_TIME_FORMAT: 'unix_micro' };
    const all = [...args, ...environmentFlags(settings), SCRIPT];
    const child = this.#workspace.start(this.#k6.file, all, { env });
    const output = new ProcessOutput(child);
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0 && code !== CROSSED) {
      throw new OperatorFault(`story: k6 ended with code ${code}: ${output.lastLine}`, EXIT.failed);
    }
  }
}

function settingsOf(target: WaveOptions) {
  const { url, adminUrl, mode, wave, rpsLimit, drainRate, path, bodyFile } = target;
  return {
    URL: url,
    ADMIN_URL: adminUrl ?? '',
    MODE: mode,
    ...(path === PATH ? {} : { ORDERS_PATH: path }),
    // k6 takes a relative name from the folder of the script.
    ...(bodyFile === '' ? {} : { BODY: resolve(bodyFile) }),
    PERIOD: `${wave.periodS}`,
    PERIODS: `${wave.periods}`,
    ...(mode === 'direct' ? { LIMIT: `${rpsLimit}` } : { DRAIN_RATE: `${drainRate}` }),
  };
}

function environmentFlags(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
}

function driveOf(
  { wave }: WaveOptions,
  { metrics }: K6Summary,
  requests: readonly K6Request[],
): Drive {
  const sent = requests.map(({ atMs, latencyMs }) => atMs - latencyMs);
  // The first request is due a little after time 0: when the integral of the rate reaches 1.
  const startMs =
    sent.reduce((least, ms) => Math.min(least, ms), Infinity) - firstDueS(wave) * 1000;
  const exchanges = requests.map(({ atMs, status, latencyMs }) => ({
    sentMs: atMs - latencyMs - startMs,
    answeredMs: atMs - startMs,
    outcome: OUTCOMES[status] ?? 'other',
    latencyMs,
  }));
  const wrong = metrics.wrong_answers?.count ?? 0;
  return {
    driven: {
      startMs,
      offered: metrics[`iterations{scenario:${SCENARIO}}`]?.count ?? 0,
      dropped: metrics.dropped_iterations?.count ?? 0,
      exchanges,
    },
    verdicts: [{ ok: wrong === 0, text: `answers that k6 found wrong: ${wrong} (expected 0)` }],
  };
}

function firstDueS(wave: Wave): number {
  let tS = 0;
  while (arrivalsBefore(tS, wave) < 1 && tS < 1) tS += 0.001;
  return tS;
}

interface K6Program {
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

/** One request in k6's CSV output. */
interface K6Request {
  /** Epoch milliseconds at which the answer had arrived. */
  readonly atMs: number;
  readonly status: number;
  readonly latencyMs: number;
}

const METRIC = 'http_req_duration';
const COLUMNS = ['metric_name', 'timestamp', 'metric_value', 'scenario', 'status'] as const;

/**
 * Reads the requests of one scenario from the file that `--out csv=FILE` writes, with K6_CSV_TIME_FORMAT=unix_micro.
 *
 * @throws OperatorFault a column is missing
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

/** The cells of one line; a quoted cell may contain commas. */
function cellsOf(line: string): string[] {
  return Array.from(
    line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g),
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}
