import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { REFERENCE } from '../../bench/contestants/bare.js';
import { withSection } from '../../bench/doc-section.js';
import { chart } from '../../bench/harness/chart.js';
import { docsOf, page } from '../../bench/harness/pages.js';
import { readReport, reportText } from '../../bench/harness/report.js';
import { summary } from '../../bench/harness/tables.js';
import { classesReport, FASTIFY, JETSTREAM, RATES, sampleReport } from './sample-report.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const report = {
  ...sampleReport(RATES, {
    [REFERENCE]: { generatorRatio: 0.98 },
    [JETSTREAM]: { behindCpuUs: { 'nats-server': 1.26 }, behindMb: { 'nats-server': 40 } },
  }),
  leftOut: [{ name: FASTIFY, reason: 'fastify is missing: install it', isFailure: false }],
};

/** One by one and in batches of 100; the servers have one core. */
const classes = classesReport();

/** The cells of a row by column, in the first table that has the column `head`. */
function cells(text: string, first: string, head: string): Record<string, string> {
  const split = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const lines = text.split('\n');
  const top = lines.findIndex((line) => line.startsWith('|') && split(line).includes(head));
  const row = lines.slice(top).find((line) => split(line)[0] === first)!;
  return Object.fromEntries(split(lines[top]!).map((name, i) => [name, split(row)[i]!]));
}

describe('the page that is made from a report', () => {
  it('has the medians, range and CPU time of each contestant', () => {
    const row = cells(page({ latest: report, classes }), JETSTREAM, 'orders/s');
    assert.equal(row['orders/s'], '86,000');
    assert.equal(row['of bare'], '0.86');
    assert.equal(row.range, '0.70 to 0.90');
    const used = cells(page({ latest: report, classes }), JETSTREAM, 'all ÷ bare');
    assert.equal(used['CPU µs per order: HTTP'], '8.0');
    assert.equal(used['all ÷ bare'], '1.16');
    assert.equal(row['200 means'], 'operating system, disk later');
  });

  it('begins with the chart of the classes and their tables', () => {
    const text = page({ latest: report, classes });
    const [, , second, third] = text.split('\n\n').slice(1);
    assert.match(second!, /^!\[.*\]\(\.\.\/benchmarks\/chart\.svg\)$/);
    assert.match(third!, /^### 200 means: not stored/);
    const row = cells(text, JETSTREAM, 'of 100');
    assert.equal(row['orders/s per core: one by one'], '86,000');
    assert.equal(row['CPU µs per order: one by one'], '8.00');
  });

  it('lists who was left out and why, and every warning; so does the printed summary', () => {
    for (const text of [page({ latest: report, classes }), summary(report)]) {
      assert.match(text, /fastify is missing: install it/);
      assert.match(text, /bare uWebSockets\.js, 256 connections, plain body: wrk used 98%/);
    }
    assert.equal(
      cells(page({ latest: report, classes }), REFERENCE, 'wrk CPU')['wrk CPU'],
      '**98%**',
    );
  });

  it('shows a dash for what the machine cannot measure, also after the report was saved', () => {
    const unknown = { httpCpuUs: Number.NaN, httpMb: Number.NaN };
    const saved = readReport(reportText(sampleReport(RATES, { [JETSTREAM]: unknown })));
    const row = cells(page({ latest: saved, classes }), JETSTREAM, 'all ÷ bare');
    assert.equal(row['CPU µs per order: HTTP'], '–');
    assert.equal(row['all ÷ bare'], '–');
    assert.equal(row['peak MB: HTTP'], '–');
  });
});

describe('the chart', () => {
  const dots = (svg: string, look: string) =>
    Array.from(svg.matchAll(/<g class="(\w+)">(.*?)<\/g>/g), ([, kind, text]) =>
      kind === look ? Array.from(text!.matchAll(/cx="([\d.]+)"/g), ([, x]) => Number(x)) : [],
    ).flat();

  it('has a dot for each size of batch on a logarithmic scale, grouped by durability', () => {
    const svg = chart(classes);
    const [bare] = dots(svg, 'limit') as [number];
    const [one, hundred] = dots(svg, 'forebay') as [number, number];
    // 100,000, 86,000 and 400,000 orders/s.
    const decade = (hundred - bare) / Math.log10(4);
    assert.ok(Math.abs((one - bare) / Math.log10(0.86) - decade) < 2, `${decade}`);
    assert.match(svg, /200 means: not stored.*\n.*200 means: operating system/s);
    for (const figure of ['86,000', '400,000', '2.0']) assert.ok(svg.includes(`>${figure}<`));
  });

  it('divides by the cores of the servers', () => {
    const options = { ...classes.options, serverCores: 4 };
    assert.ok(chart({ ...classes, options }).includes('>21,500<'));
  });

  it('escapes names', () => {
    const name = 'A & B <C>';
    const entrants = [{ ...classes.entrants[1]!, name }];
    const measured = classes.measured.map((one) => ({ ...one, contestant: name }));
    const svg = chart({ ...classes, entrants, measured });
    assert.ok(svg.includes('A &amp; B &lt;C&gt;') && !svg.includes(name));
  });
});

describe('a generated section of a document', () => {
  it('replaces the previous one and nothing else', () => {
    const marked = (text: string) => `a\n<!-- bench:begin -->\n${text}\n<!-- bench:end -->\nb\n`;
    assert.equal(withSection(marked('old\nlines'), 'bench', 'new'), marked('new'));
    assert.throws(() => withSection('no markers', 'bench', 'new'), /must contain <!-- bench:begin/);
  });
});

describe('docs/reference/benchmarks.md, its chart and the table in README.md', () => {
  it('are generated from the reports in docs/benchmarks', () => {
    const latest = readReport(read('docs/benchmarks/latest.json'));
    const classes = readReport(read('docs/benchmarks/classes.json'));
    for (const [path, text] of docsOf({ latest, classes }, read('README.md'))) {
      assert.equal(
        read(path),
        text,
        `${path}: npm run bench -- --from docs/benchmarks/latest.json --write`,
      );
    }
  });
});
