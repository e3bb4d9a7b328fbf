import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { HTTP, REFERENCE } from '../contestants/bare.js';
import { durabilities } from '../contestants/contestant.js';
import { withSection } from '../doc-section.js';
import { chart } from './chart.js';
import { type LeftOut, type Report, reportText } from './report.js';
import { caseTables, caseTitle, howMeasured, mainCase, rowsOf } from './tables.js';
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

/** Everything that is generated from a report: text by path from the project's root. */
export function docsOf(report: Report, readme: string): ReadonlyMap<string, string> {
  return new Map([
    ['docs/benchmarks/latest.json', reportText(report)],
    ['docs/benchmarks/chart.svg', chart(report)],
    ['docs/reference/benchmarks.md', page(report)],
    ['README.md', withSection(readme, 'bench', excerpt(report))],
  ]);
}

/** @returns the paths that were written */
export async function writeDocs(report: Report): Promise<string[]> {
  const readme = await readFile(new URL('README.md', ROOT), 'utf8');
  await mkdir(new URL('docs/benchmarks/', ROOT), { recursive: true });
  const files = [...docsOf(report, readme)];
  for (const [path, text] of files) await writeFile(new URL(path, ROOT), text);
  return files.map(([path]) => fileURLToPath(new URL(path, ROOT)));
}

/** docs/reference/benchmarks.md. */
export function page(report: Report): string {
  const main = mainCase(report);
  const others = report.cases.filter((where) => where !== main);
  const warnings = warningsOf(report);
  const { leftOut } = report;
  const parts = [
    '# Benchmarks',
    `![${chartAlt(report)}](../benchmarks/chart.svg)`,
    'Each server receives the same orders over HTTP. `200 means` is where an order is stored when its client gets the 200. `of bare` is the rate divided by that of bare uWebSockets.js, which reads the body and sends a fixed response. [Columns](#columns) explains the rest.',
    `## ${caseTitle(main)}`,
    caseTables(report, main),
    list(howMeasured(report).split('\n')),
    ...others.flatMap((where) => [`## ${caseTitle(where)}`, caseTables(report, where)]),
    '## Columns',
    COLUMNS,
    ...(warnings.length === 0 ? [] : ['## Warnings', list(warnings)]),
    '## Servers',
    'The code of each is in [bench/contestants](../../bench/contestants/README.md).',
    entrants(report),
    ...(leftOut.length === 0 ? [] : ['## Not measured', list(leftOut.map(leftOutText))]),
    '## Method',
    METHOD,
    '## Run it',
    RUN,
  ];
  return `${parts.join('\n\n')}\n`;
}

const COLUMNS = `- **of bare** and **range**: the median, lowest and highest ratio to ${REFERENCE}. Each round has its own ratio.
- **processed/s**: orders that the handler finished in the same seconds.
- **errors**: responses other than 2xx and 3xx, and socket errors, of all rounds. Any error makes the run fail.
- **CPU µs per order**: user and system time from /proc, divided by the orders of the same seconds. First the process that serves
  HTTP, then the servers behind it (nats-server, Redis …). **all ÷ bare** compares the sum. With the drain on, it includes processing.
- **peak MB**: VmHWM of the same processes. **start ms**: from the start of the process until it accepts orders.
- **wrk CPU**: share of one core that wrk used. From 95% on (bold) wrk may be the limit: the server may be able to do more. If that
  server is the bare one, all ratios to it are too high.`;

const METHOD = `- **Ratios within one round.** Absolute rates depend on the machine and, on a shared machine, on the minute. So the servers take turns
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
npm run bench -- --from docs/benchmarks/latest.json --write   # writes this page again without a run
npm run bench -- --body spaced --body varied --only Forebay
npm run bench -- --help
\`\`\`

The benchmark needs Linux and wrk, and installs wrk with apt if it runs as root. It also installs the servers, packages and Go modules of the
alternatives; those that cannot be installed are left out, with the reason.

\`--write\` generates this page, the chart and the table in README.md from [the report of the run](../benchmarks/latest.json), which
contains every figure of every round. Do not edit them.`;

/** The README's benchmark table. */
export function excerpt(report: Report): string {
  const main = mainCase(report);
  const rows = rowsOf(report, main);
  const shown = README_SERVERS.flatMap(
    (name) => rows.find(({ entrant }) => entrant.name === name) ?? [],
  );
  const head = ['server', '200 means', 'orders/s', 'of bare', 'p99 ms'];
  const cells = shown.map(({ entrant, requestsPerSecond, ratio, p99Ms }) => [
    entrant.name,
    durabilities[entrant.durability],
    whole(requestsPerSecond.median),
    ratio === null ? '' : fixed(ratio.median, 2),
    fixed(p99Ms, 1),
  ]);
  const { cores, cpu } = report.machine;
  return [
    table(head, cells),
    `${caseTitle(main)}, ${cores} cores (${cpu}) shared with the load generator, ${report.takenAt.slice(0, 10)}. All servers, settings and figures: [benchmarks](docs/reference/benchmarks.md).`,
  ].join('\n\n');
}

function chartAlt(report: Report): string {
  return `Orders per second of each server as bars, grouped by what a 200 means: ${caseTitle(mainCase(report))}`;
}

function entrants({ entrants: all }: Report): string {
  const rows = all.map(({ name, durability, about }) => [name, durabilities[durability], about]);
  return table(['server', '200 means', 'what it is'], rows);
}

function leftOutText({ name, reason }: LeftOut): string {
  return `${name}: ${reason}`;
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}
