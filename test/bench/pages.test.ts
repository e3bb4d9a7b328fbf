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
import { FASTIFY, JETSTREAM, RATES, sampleReport } from './sample-report.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const report = {
  ...sampleReport(RATES, {
    [REFERENCE]: { generatorRatio: 0.98 },
    [JETSTREAM]: { behindCpuUs: { 'nats-server': 1.26 }, behindMb: { 'nats-server': 40 } },
  }),
  leftOut: [{ name: FASTIFY, reason: 'fastify is missing: install it', isFailure: false }],
};

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
    const row = cells(page(report), JETSTREAM, 'orders/s');
    assert.equal(row['orders/s'], '86,000');
    assert.equal(row['of bare'], '0.86');
    assert.equal(row.range, '0.70 to 0.90');
    const used = cells(page(report), JETSTREAM, 'all ÷ bare');
    assert.equal(used['CPU µs per order: HTTP'], '8.0');
    assert.equal(used['all ÷ bare'], '1.16');
    assert.equal(row['200 means'], 'operating system, disk later');
  });

  it('begins with the chart and the table', () => {
    const [first, second, third] = page(report).split('\n\n').slice(1);
    assert.match(first!, /^!\[.*\]\(\.\.\/benchmarks\/chart\.svg\)$/);
    assert.match(second!, /^Each server/);
    assert.match(third!, /^## 256 connections/);
  });

  it('lists who was left out and why, and every warning; so does the printed summary', () => {
    for (const text of [page(report), summary(report)]) {
      assert.match(text, /fastify is missing: install it/);
      assert.match(text, /bare uWebSockets\.js, 256 connections, plain body: wrk used 98%/);
    }
    assert.equal(cells(page(report), REFERENCE, 'wrk CPU')['wrk CPU'], '**98%**');
  });

  it('shows a dash for what the machine cannot measure, also after the report was saved', () => {
    const unknown = { httpCpuUs: Number.NaN, httpMb: Number.NaN };
    const saved = readReport(reportText(sampleReport(RATES, { [JETSTREAM]: unknown })));
    const row = cells(page(saved), JETSTREAM, 'all ÷ bare');
    assert.equal(row['CPU µs per order: HTTP'], '–');
    assert.equal(row['all ÷ bare'], '–');
    assert.equal(row['peak MB: HTTP'], '–');
  });
});

describe('the chart', () => {
  it('has a bar for each contestant, proportional to its rate, grouped by durability', () => {
    const svg = chart(report);
    const widths = Array.from(
      svg.matchAll(/class="(limit|forebay)" x="[\d.]+" y="[\d.]+" width="([\d.]+)"/g),
      ([, kind, width]) => [kind, Number(width)] as const,
    );
    assert.deepEqual(
      widths.map(([kind]) => kind),
      ['limit', 'forebay'],
    );
    const [[, bare], [, jetstream]] = widths as [(typeof widths)[0], (typeof widths)[0]];
    assert.ok(Math.abs(jetstream / bare - 0.86) < 0.01, `${jetstream} of ${bare}`);
    assert.match(svg, /200 means: not stored.*\n.*200 means: operating system/s);
    assert.match(svg, /86,000 \(0\.86\)/);
  });

  it('escapes names', () => {
    const odd = sampleReport();
    const entrants = odd.entrants.map((one) => ({ ...one }));
    const name = 'A & B <C>';
    const measured = odd.measured.map((one) => ({ ...one, contestant: name }));
    const svg = chart({ ...odd, entrants: [{ ...entrants[1]!, name }], measured });
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
  it('are generated from docs/benchmarks/latest.json', () => {
    const latest = readReport(read('docs/benchmarks/latest.json'));
    for (const [path, text] of docsOf(latest, read('README.md'))) {
      assert.equal(
        read(path),
        text,
        `${path}: npm run bench -- --from docs/benchmarks/latest.json --write`,
      );
    }
  });
});
