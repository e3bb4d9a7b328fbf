import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { ProveRecord } from '../../../drills/prove/record.js';
import { fileSystemOf } from '../../../src/journal/store/file-system.js';
import { runForebay, startForebay } from '../../support/forebay.js';
import { NatsServer } from '../../support/nats.js';
import { eventually, metric, OrderClient } from '../../support/orders.js';

const SHORT = ['--rounds', '2', '--round-s', '1', '--rate', '300'];
const IN_MEMORY = '/dev/shm';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'forebay-proved-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function recordIn(out: string): ProveRecord {
  return JSON.parse(readFileSync(join(out, 'prove.json'), 'utf8')) as ProveRecord;
}

function isMemory(): boolean {
  return existsSync(IN_MEMORY) && fileSystemOf(IN_MEMORY).kind === 'memory';
}

/** The bytes of each file, by name. */
function content(of: string): Record<string, string> {
  const files = readdirSync(of, { recursive: true, withFileTypes: true, encoding: 'utf8' });
  return Object.fromEntries(
    files
      .filter((file) => file.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((file) => [file, readFileSync(file).toString('base64')]),
  );
}

describe('forebay prove', () => {
  it('finds no order lost or doubled, and leaves the data folder as it was', async (t) => {
    const data = join(folder, 'data');
    const server = await startForebay(['--drain', 'off'], { owner: t, data });
    const client = new OrderClient(server.url);
    assert.equal((await client.post('kept')).status, 200);
    client.close();
    assert.equal(await server.stop(), 0);
    const was = content(data);
    const out = join(folder, 'local');
    const { code, stdout, stderr } = await runForebay([
      'prove',
      ...[...SHORT, '--data', data, '--out', out, '--frame-orders-max', '50', '--threads', '1'],
    ]);
    assert.equal(code, 0, stdout + stderr);
    const { verdict, rounds, options, journal, durability, disk } = recordIn(out);
    assert.deepEqual([journal, durability], ['local', 'fsync']);
    assert.ok(verdict.accepted > 0);
    assert.deepEqual([verdict.lost, verdict.doubled, verdict.altered], [0, 0, 0]);
    assert.equal(rounds.length, 2);
    assert.deepEqual([...options].sort(), ['frame-orders-max', 'threads']);
    assert.ok(disk.flushMs.p50 > 0);
    assert.deepEqual(content(data), was);
    assert.deepEqual(
      readdirSync(data).filter((name) => name.includes('prove')),
      [],
    );
    const page = readFileSync(join(out, 'index.html'), 'utf8');
    assert.match(page, /All \d+ checks held/);
    assert.doesNotMatch(page, /(?:src|href)="http/);
  });

  it('touches no stream of NATS but its own, which it removes', async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const server = await startForebay(['--nats', nats.url, '--drain', 'off'], { owner: t });
    const client = new OrderClient(server.url);
    assert.equal((await client.post('kept')).status, 200);
    client.close();
    const streams = async () => {
      const nc = await connect({ servers: nats.url });
      const infos = await (await jetstreamManager(nc)).streams.list().next();
      await nc.close();
      return infos.map(({ config, state }) => `${config.name} ${state.messages}`).sort();
    };
    // It may have gone to the spool first.
    await eventually('it is in the stream', async () => (await streams()).includes('FOREBAY 1'));
    const was = (await streams()).filter((line) => !line.includes('LEDGER'));
    const out = join(folder, 'jetstream');
    // A folder that is not there yet is made, and removed.
    const data = join(folder, 'new', 'data');
    const flags = [...SHORT, '--nats', nats.url, '--data', data, '--out', out];
    const { code, stdout, stderr } = await runForebay(['prove', ...flags]);
    assert.equal(code, 0, stdout + stderr);
    const { verdict, stream } = recordIn(out);
    assert.match(stream, /^FOREBAY_PROVE_/);
    assert.ok(verdict.accepted > 0);
    const now = await streams();
    assert.deepEqual(
      now.filter((line) => !line.includes('LEDGER')),
      was,
    );
    assert.deepEqual(
      now.filter((line) => line.includes('PROVE')),
      [],
    );
    assert.ok(!existsSync(join(folder, 'new')));
    assert.equal(await metric(server, 'forebay_journal_pending_orders'), 1);
  });

  it('ends in one line if NATS does not answer', async () => {
    const flags = [...SHORT, '--nats', 'nats://127.0.0.1:1', '--out', join(folder, 'nothing')];
    const { code, stdout, stderr } = await runForebay(['prove', ...flags]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^forebay: prove: --nats: NATS does not answer [^\n]*; fix: [^\n]*\n$/);
  });

  it('exits with 1 if a check fails, and names it', {
    skip: isMemory() ? false : `${IN_MEMORY} is not in memory`,
  }, async () => {
    const out = join(folder, 'memory');
    const data = mkdtempSync(join(IN_MEMORY, 'forebay-proved-'));
    const flags = [...SHORT, '--rounds', '1', '--data', data, '--out', out];
    const { code, stdout } = await runForebay(['prove', ...flags]);
    rmSync(data, { recursive: true, force: true });
    assert.equal(code, 1);
    assert.match(stdout, /^FAIL the data folder is on tmpfs: a power cut/m);
    assert.match(readFileSync(join(out, 'index.html'), 'utf8'), /1 of \d+ checks failed/);
  });
});
