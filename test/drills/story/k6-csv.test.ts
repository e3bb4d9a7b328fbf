import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readK6Csv } from '../../../drills/story/k6-load.js';

const HEADER = 'metric_name,timestamp,metric_value,error,scenario,status,extra_tags';

function fileOf(t: TestContext, lines: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-csv-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'requests.csv');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

describe("k6's CSV output", () => {
  it('gives the requests of one scenario, and nothing else', async (t) => {
    const file = fileOf(t, [
      HEADER,
      'http_reqs,1700000000123456,1,,orders,200,',
      'http_req_duration,1700000000123456,2.5,,orders,200,',
      'http_req_duration,1700000000200000,9,,watch,200,',
      'http_req_duration,1700000000323456,0.75,"dial: ""a"", b",orders,0,x=1',
      'http_req_duration_more,1700000000323456,1,,orders,200,',
    ]);
    assert.deepEqual(await readK6Csv(file, 'orders'), [
      { atMs: 1_700_000_000_123.456, status: 200, latencyMs: 2.5 },
      { atMs: 1_700_000_000_323.456, status: 0, latencyMs: 0.75 },
    ]);
  });

  it('says which column is missing', async (t) => {
    const file = fileOf(t, ['metric_name,timestamp,metric_value,status', 'x,1,2,3']);
    await assert.rejects(readK6Csv(file, 'orders'), /no column scenario/);
  });
});
