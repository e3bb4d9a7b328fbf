import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { YARDSTICK } from '../../bench/contestants/bare.js';
import { chart } from '../../bench/harness/chart.js';
import { page, withExcerpt } from '../../bench/harness/page.js';
import { readReport, reportText } from '../../bench/harness/report.js';
import { summary } from '../../bench/harness/summary.js';
import { docsOf } from '../../bench/harness/write-docs.js';
import { FASTIFY, JETSTREAM, RATES, sampleReport } from './sample-report.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const report = {
  ...sampleReport(RATES, {
    [YARDSTICK]: { generatorRatio: 0.98 },
    [JETSTREAM]: { behindCpuUs: { 'nats-server': 1.26 }, behindMb: { 'nats-server': 40 } },
  }),
  leftOut: [{ name: FASTIFY, reason: 'fastify is missing: install it', isFailure: false }],
};

/** The cells of the row of that table of the page whose heads are `heads`, under them. */
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
  it('has each contestant with its medians, its spread and its processor time', () => {
    const row = cells(page(report), JETSTREAM, 'orders/s');
    assert.equal(row['orders/s'], '86,000');
    assert.equal(row['of bare'], '0.86');
    assert.equal(row['least to most'], '0.70 to 0.90');
    assert.equal(row['CPU µs an order, HTTP'], '8.0');
    assert.equal(row['both ÷ bare'], '1.16');
    assert.equal(row['a 200 means'], 'operating system; to disk later');
  });

  it('has each target with its verdict', () => {
    const row = cells(page(report), 'JetStream, drain off ÷ bare', 'verdict');
    assert.equal(row.meant, 'at least 0.85, stretch 0.92');
    assert.equal(row.verdict, 'met');
    const missed = sampleReport({ ...RATES, [JETSTREAM]: [70_000] });
    const shown = cells(page(missed), 'JetStream, drain off ÷ bare', 'verdict');
    assert.equal(shown.verdict, '**MISSED**');
  });

  it('repeats who was left out and why, and every warning; so does what is printed', () => {
    for (const text of [page(report), summary(report)]) {
      assert.match(text, /fastify is missing: install it/);
      assert.match(text, /bare uWebSockets\.js, 256 connections, plain: the generator was at its/);
    }
    assert.equal(cells(page(report), YARDSTICK, 'generator').generator, '**98%**');
  });

  it('shows what the machine does not tell as a dash, also after the report was kept', () => {
    const unknown = { httpCpuUs: Number.NaN, httpMb: Number.NaN };
    const kept = readReport(reportText(sampleReport(RATES, { [JETSTREAM]: unknown })));
    const row = cells(page(kept), JETSTREAM, 'orders/s');
    assert.equal(row['CPU µs an order, HTTP'], '–');
    assert.equal(row['both ÷ bare'], '–');
    assert.equal(row['most MB, HTTP'], '–');
  });
});

describe('the chart', () => {
  it('has a bar for each contestant, as long as its rate, under what its 200 means', () => {
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
    assert.match(svg, /a 200 means: nothing is kept.*\n.*a 200 means: operating system/s);
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

describe('the excerpt in the README', () => {
  it('takes the place of the one before, and of nothing else', () => {
    const marked = (text: string) => `a\n<!-- bench:begin -->\n${text}\n<!-- bench:end -->\nb\n`;
    assert.equal(withExcerpt(marked('old\nlines'), 'new'), marked('new'));
    assert.throws(() => withExcerpt('no place', 'new'), /README\.md: must have/);
  });
});

describe('docs/reference/benchmarks.md, its chart and the excerpt in README.md', () => {
  it('are what is made from docs/benchmarks/latest.json', () => {
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
