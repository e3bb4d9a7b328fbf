import { HTTP, YARDSTICK } from '../contestants/bare.js';
import { durabilities } from '../contestants/contestant.js';
import type { LeftOut, Report } from './report.js';
import { howMeasured } from './summary.js';
import { caseTable, caseTitle, mainCase, rowsOf, verdictTable } from './tables.js';
import { fixed, table, whole } from './text.js';
import { warningsOf } from './warnings.js';

const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';

/** docs/reference/benchmarks.md. */
export function page(report: Report): string {
  const parts = [
    '# Benchmarks',
    'Written by `npm run bench -- --write` from [the report of one run](../benchmarks/latest.json), which has every figure of every round. Do not edit.',
    `![${chartAlt(report)}](../benchmarks/chart.svg)`,
    list(howMeasured(report).split('\n')),
    '## What was meant to hold',
    verdictTable(report),
    ...report.cases.flatMap((where) => [`## ${caseTitle(where)}`, caseTable(report, where)]),
    '## What to know before believing it',
    list(warningsOf(report), 'Nothing: five rounds or more, and no warning.'),
    '## Who took part',
    'Each is in [bench/contestants](../../bench/contestants), with what starts it.',
    entrants(report),
    '## Who did not',
    list(report.leftOut.map(leftOutText), 'Nobody was left out for want of anything.'),
    '## How it is measured',
    HOW,
  ];
  return `${parts.join('\n\n')}\n`;
}

const HOW = `\`\`\`sh
npm run bench                                            # about a quarter of an hour, 256 connections
npm run bench -- --connections 64,256,1024 --write       # three times that; writes this page anew
npm run bench -- --body spaced --body varied --only Forebay
npm run bench -- --quick                                 # does everything work here?
npm run bench -- --help
\`\`\`

It needs wrk, and gets it by apt when it is run by root. Servers, packages and Go modules that contestants need are got
the same way; who can't be run is left out, with the reason.

- **Figures of one machine say little about another**, and a shared machine is not the same from one minute to the next. So what counts is a
  **ratio within one round**: contestants take turns (A B C A B C), each round has its own ratios to ${YARDSTICK}, and the median of the rounds is what
  is judged. Least and most stand beside it.
- **A fresh server each time**, with data in a fresh folder: one order whose answer is checked to the byte, a warm-up, then the load. wrk counts every answer
  other than 2xx and 3xx, and every error of a socket; Forebay's own count of 200s is held against wrk's. Any error makes the run fail.
- **Same body, same connections, one wrk thread for all**, on the same machine. wrk has the first core; the servers may run on any, that one
  too. Servers kept off wrk's core (\`--pin apart\`) would be fair to the bare server alone, which has one thread: Forebay's journal, or
  nats-server, would have to share its core, while a part of wrk's lies idle whenever a server is slower than bare. The bare server is not hampered by
  it: it reached the same rate with \`apart\`, within 2%.
- **The generator's share of its core** stands in a column of its own, bold from 95% on: then the server might have done more. Where that is the bare
  server, its true rate is higher and all ratios to it are lower. Processor time an order is not touched by that.
- **Processor time an order** is user and system, from /proc, of the process that speaks HTTP, and of the servers behind it, over the orders answered meanwhile. With the drain on, that
  includes their processing. It is the steadier figure on a shared machine, where a core's time is what an order costs.
- **Most memory** is VmHWM, of the same processes. **Ready** is the time from the start of the process until it takes orders.
- Forebay runs with its defaults and \`--log-level warn\`; what else differs is said above. The bare server has as many threads as Forebay has by default,
  half the cores; the others on Node have as many processes, ${HTTP} has one, and what is not Node uses all cores.
- JetStream runs on a nats-server of its own, file storage, as a package would install it but for the folder.
- wrk is a closed loop: it sends the next order when the last is answered. Its latencies are those at saturation, no more.`;

/** What the README shows of it. */
export function excerpt(report: Report): string {
  const rows = rowsOf(report, mainCase(report)).filter(
    ({ entrant }) =>
      entrant.name === YARDSTICK || entrant.kind === 'other' || entrant.name.endsWith('drain off'),
  );
  const head = ['server', 'a 200 means', 'orders/s', 'of bare', 'CPU an order ÷ bare', 'p99 ms'];
  const cells = rows.map(({ entrant, requestsPerSecond, ratio, cpuRatio, p99Ms }) => [
    entrant.name,
    durabilities[entrant.durability],
    whole(requestsPerSecond.median),
    ratio === null ? '' : fixed(ratio.median, 2),
    cpuRatio === null ? '' : fixed(cpuRatio.median, 2),
    fixed(p99Ms, 1),
  ]);
  return [
    `![${chartAlt(report)}](docs/benchmarks/chart.svg)`,
    `${caseTitle(mainCase(report))}; ${howMeasured(report).split('\n').slice(0, 2).join('; ')}.`,
    table(head, cells),
  ].join('\n\n');
}

/** @throws Error where the page has no place for it */
export function withExcerpt(readme: string, text: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`README.md: must have ${BEGIN} and ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${text}\n${readme.slice(end)}`;
}

function chartAlt(report: Report): string {
  return `Orders a second of each server as bars, grouped by what a 200 means: ${caseTitle(mainCase(report))}`;
}

function entrants({ entrants: all }: Report): string {
  const rows = all.map(({ name, durability, about }) => [name, durabilities[durability], about]);
  return table(['server', 'a 200 means', 'what it is'], rows);
}

function leftOutText({ name, reason }: LeftOut): string {
  return `${name}: ${reason}`;
}

function list(items: readonly string[], otherwise = ''): string {
  return items.length === 0 ? otherwise : items.map((item) => `- ${item}`).join('\n');
}
