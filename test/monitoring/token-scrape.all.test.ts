import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { ROOT } from '../docs/pages.js';
import { startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { eventually } from '../support/orders.js';
import { toolPath } from '../support/program.js';
import { PrometheusApi } from './prometheus-api.js';

it('Prometheus scrapes a server with tokens, by the lines that are commented out in monitoring/prometheus.yml', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-scrape-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const token = join(folder, 'token');
  writeFileSync(token, 'a-token-of-this-test\n', { mode: 0o600 });
  const forebay = await startForebay(['--admin-token-file', token], { owner: t });
  const given = readFileSync(join(ROOT, 'monitoring/prometheus.yml'), 'utf8');
  const config = given
    .replace('# authorization:', 'authorization:')
    .replace(/# ( {2}credentials_file: ).*/, `$1${token}`)
    .replace('forebay:3001', new URL(forebay.adminUrl).host)
    .replace(/rule_files:[\s\S]*?\n\n/, '')
    .replace('scrape_interval: 5s', 'scrape_interval: 1s');
  assert.notEqual(config, given);
  writeFileSync(join(folder, 'prometheus.yml'), config);
  const port = await freePort();
  const flags = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const prometheus = spawn(await toolPath('prometheus'), flags, { stdio: 'ignore' });
  t.after(() => prometheus.kill('SIGKILL'));
  const api = new PrometheusApi(`http://127.0.0.1:${port}`);
  const isUp = async () => {
    const samples = await api.query('up{job="forebay"}').catch(() => []);
    return samples.some(({ value }) => value === 1);
  };
  await eventually('it is up', isUp);
  const [rate] = await api.query('forebay_drain_rate');
  assert.equal(rate?.value, 0);
});
