import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { HTTP, REFERENCE } from '../contestants/bare.js';
import { durabilities } from '../contestants/contestant.js';
import { withSection } from '../doc-section.js';
import { chart } from './chart.js';
import { classTables } from './classes.js';
import {
  caseTitle,
  type Entrant,
  type LeftOut,
  type Report,
  readReport,
  reportText,
} from './report.js';
import { caseTables, howMeasured, mainCase, rowsOf } from './tables.js';
import { fixed, table, whole } from './text.js';
import { warningsOf } from './warnings.js';

/** From dist/bench/harness: the pages lie outside what is compiled. */
const ROOT = new URL('../../../', import.meta.url);

/** The servers of the README's table, in its order. */
const README_SERVERS = [
  'Forebay, local, drain off',
  'Forebay, JetStream, drain off',
  REFERENCE,
  'Fastify + JetStream',
  'Go + JetStream',
  'Fastify + BullMQ on Redis, appendfsync everysec',
  'Bento to JetStream',
];

const LATEST = 'docs/benchmarks/latest.json';
const CLASSES = 'docs/benchmarks/classes.json';

/** What the page consists of. */
export interface Reports {
  /** Orders one by one, all servers. */
  readonly latest: Report;
  /** One by one and in batches, for each class of durability: with --classes. */
  readonly classes: Report;
}

/** Everything that is generated from the reports: text by path from the project's root. */
export function docsOf(reports: Reports, readme: string): ReadonlyMap<string, string> {
  return new Map([
    [LATEST, reportText(reports.latest)],
    [CLASSES, reportText(reports.classes)],
    ['docs/benchmarks/chart.svg', chart(reports.classes)],
    ['docs/reference/benchmarks.md', page(reports)],
    ['README.md', withSection(readme, 'bench', excerpt(reports.latest))],
  ]);
}

/** @returns the paths that were written */
export async function writeDocs(report: Report, isClasses: boolean): Promise<string[]> {
  const read = (path: string) => readFile(new URL(path, ROOT), 'utf8');
  const saved = readReport(await read(isClasses ? LATEST : CLASSES));
  const reports = isClasses
    ? { latest: saved, classes: report }
    : { latest: report, classes: saved };
  const files = [...docsOf(reports, await read('README.md'))];
  for (const [path, text] of files) await writeFile(new URL(path, ROOT), text);
  return files.map(([path]) => fileURLToPath(new URL(path, ROOT)));
}

/** docs/reference/benchmarks.md. */
export function page({ latest: report, classes }: Reports): string {
  const main = mainCase(report);
  const others = report.cases.filter((where) => where !== main);
  const warnings = [...warningsOf(report), ...warningsOf(classes)];
  const leftOut = [...report.leftOut, ...classes.leftOut];
  const parts = [
    '# Benchmarks',
    '## One core, by class of durability',
    CLASSES_INTRO,
    `![${CHART_ALT}](../benchmarks/chart.svg)`,
    classTables(classes),
    list(howMeasured(classes).split('\n')),
    '## All servers, orders one by one',
    'These servers may use every core, also that of the generator, and the benchmark includes alternatives that take no batches. `200 means` is where an order is stored when its client gets the 200. `of bare` is the rate divided by that of bare uWebSockets.js, which reads the body and sends a fixed response. [Columns](#columns) explains the rest.',
    `### ${caseTitle(main)}`,
    caseTables(report, main),
    list(howMeasured(report).split('\n')),
    ...others.flatMap((where) => [`### ${caseTitle(where)}`, caseTables(report, where)]),
    '### Columns',
    COLUMNS,
    ...(warnings.length === 0 ? [] : ['## Warnings', list(warnings)]),
    '## Servers',
    'The code of each is in [bench/contestants](../../bench/contestants/README.md).',
    entrants([...report.entrants, ...classes.entrants]),
    ...(leftOut.length === 0 ? [] : ['## Not measured', list(leftOut.map(leftOutText))]),
    '## Method',
    METHOD,
    '## Run it',
    RUN,
  ];
  return `${parts.join('\n\n')}\n`;
}

const CHART_ALT =
  'Orders per second and core of each server, one by one and in batches, and p99, grouped by what a 200 means';

const CLASSES_INTRO = `What one core does, by what a 200 promises: **not stored**, stored in the **operating system** and on disk later, or **on disk**. Compare servers of one class. Fastify, Go and Bento only store: compare them with
Forebay with the drain off. With the drain on, the same core also processes every order.
The bare server reads the body and stores nothing. Each server has one core, together with its broker, and the load generator has another, so the rates are orders per second and core. Orders come one by one on 256
connections, or in batches of 10, 100 and 500 in a request on 64. The load is a closed loop, so p99 is that of a saturated core: with batches of 500 on 64 connections, 32,000 orders wait at any time.`;

const COLUMNS = `- **of bare** and **range**: the median, lowest and highest ratio to ${REFERENCE}. Each round has its own ratio.
- **processed/s**: orders that the handler finished in the same seconds.
- **errors**: responses other than 2xx and 3xx, and socket errors, of all rounds. Any error makes the run fail.
- **CPU µs per order**: user and system time from /proc, divided by the orders of the same seconds. First the process that serves
  HTTP, then the servers behind it (nats-server, Redis …). **all ÷ bare** compares the sum. With the drain on, it includes processing.
- **peak MB**: VmHWM of the same processes. **start ms**: from the start of the process until it accepts orders.
- **wrk CPU**: share of one core that wrk used. From 95% on (bold) wrk may be the limit: the server may be able to do more. If that
  server is the bare one, all ratios to it are too high.`;

const METHOD = `- **Batches.** Forebay takes lines, the others a JSON array. All check each order. Fastify and Go store a batch as one message, which is the cheapest way;
  a consumer then has to handle batches. Bento collects messages of several requests itself.
- **Disturbed measurements.** A measurement in which other processes used more than 10% of the CPU time is repeated up to twice; the least disturbed one counts.
- **Vector** is not measured: its program could not be had. See [the contestants](../../bench/contestants/README.md#vector).
- **Ratios within one round.** Absolute rates depend on the machine and, on a shared machine, on the minute. So the servers take turns
  (A B C A B C), and each round has its own ratios to ${REFERENCE}.
- **A new process for each measurement**, with an empty data folder. One order whose response is compared byte by byte, then a warm-up, then
  the load. Forebay's own count of 200s must match wrk's.
- **The same body and connections, and one wrk thread, for all.** wrk has the first core; the servers may use every core, including
  that one. To keep them off it (\`--pin apart\`) would favour the bare server, which has one thread.
- Forebay runs with its defaults and \`--log-level warn\`, except for the options in the table. The bare server has as many threads as Forebay has by
  default: half the cores. The Node alternatives have as many processes; ${HTTP} has one. Go programs use all cores.
- Every JetStream server has its own nats-server with file storage and default settings.
- wrk is a closed loop: a connection sends its next order when the last is answered. So p50 and p99 are latencies at saturation. For
  latencies at a fixed rate see [latency and overload](latency.md).`;

const RUN = `\`\`\`sh
npm run bench                                            # 256 connections, about 15 minutes
npm run bench -- --connections 64,256,1024 --write       # three times as long; also writes this page
npm run bench:classes -- --json classes.json --write     # the chart: about 20 minutes
npm run bench:classes -- --class fsync --batch 100 --rounds 1 --json classes.json --continue   # a part of it: a minute
npm run bench -- --from docs/benchmarks/latest.json --write   # writes this page again without a run
npm run bench -- --body spaced --body varied --only Forebay
npm run bench -- --help
\`\`\`

The benchmark needs Linux and wrk, and installs wrk with apt if it runs as root. It also installs the servers, packages and Go modules of the
alternatives; those that cannot be installed are left out, with the reason.

\`--write\` generates this page, the chart and the table in README.md from [the report of the run](../benchmarks/latest.json), which
contains every figure of every round; those of the chart are in [classes.json](../benchmarks/classes.json). Do not edit them.
\`--continue\` adds rounds to a report, for a machine that is free only for a while.`;

/** The README's benchmark table. */
export function excerpt(report: Report): string {
  const main = mainCase(report);
  const rows = rowsOf(report, main);
  const shown = README_SERVERS.flatMap(
    (name) => rows.find(({ entrant }) => entrant.name === name) ?? [],
  );
  const head = ['server', '200 means', 'orders/s', 'of bare', 'p99 ms'];
  const cells = shown.map(({ entrant, ordersPerSecond, ratio, p99Ms }) => [
    entrant.name,
    durabilities[entrant.durability],
    whole(ordersPerSecond.median),
    ratio === null ? '' : fixed(ratio.median, 2),
    fixed(p99Ms, 1),
  ]);
  const { cores, cpu } = report.machine;
  return [
    table(head, cells),
    `${caseTitle(main)}, ${cores} cores (${cpu}) shared with the load generator, ${report.takenAt.slice(0, 10)}. All servers, settings and figures: [benchmarks](docs/reference/benchmarks.md).`,
  ].join('\n\n');
}

function entrants(all: readonly Entrant[]): string {
  const named = new Map(all.map((entrant) => [entrant.name, entrant]));
  const rows = [...named.values()].map(({ name, durability, about }) => [
    name,
    durabilities[durability],
    about,
  ]);
  return table(['server', '200 means', 'what it is'], rows);
}

function leftOutText({ name, reason }: LeftOut): string {
  return `${name}: ${reason}`;
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}
