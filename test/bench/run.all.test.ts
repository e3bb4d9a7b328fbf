import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { REFERENCE } from '../../bench/contestants/bare.js';
import type { Contestant } from '../../bench/contestants/contestant.js';
import { queuedName } from '../../bench/contestants/forebay.js';
import { parseBenchOptions } from '../../bench/harness/bench-options.js';
import { readReport } from '../../bench/harness/report.js';
import { toRows } from '../../bench/harness/rows.js';
import { takeReport } from '../../bench/harness/take-report.js';
import { wrkProgram } from '../../bench/load.js';
import { answers } from '../../src/model/answers.js';
import { ENGINES } from '../support/engines.js';
import { eventually } from '../support/orders.js';
import { endAll, stillRunning, withDescendants } from './process-tree.js';

const MAIN = fileURLToPath(new URL('../../bench/harness/main.js', import.meta.url));
const LOCAL = queuedName('local', 'on');

const needs = await wrkProgram().then(
  () => ({ skip: ENGINES[0].skip }),
  (error: Error) => ({ skip: error.message }),
);

/** A server in this process. @param answer gets the number of the order, from 1 */
function inProcess(
  name: string,
  answer: (response: ServerResponse, order: number) => void,
): Contestant {
  const start = async () => {
    let orders = 0;
    const server = createServer((request, response) => {
      orders++;
      request.resume().on('end', () => answer(response, orders));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const stop = async () => {
      server.close();
      server.closeAllConnections();
    };
    const url = `http://127.0.0.1:${port}`;
    return { url, adminUrl: null, pid: process.pid, behind: {}, readyMs: 1, stop };
  };
  const missing = async () => null;
  return { name, kind: 'other', durability: 'none', about: '', missing, start };
}

const right = (response: ServerResponse) => response.end(answers.created.body);

describe('a run of the benchmark', needs, () => {
  it('with --quick reports all figures and exits with code 0', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'forebay-bench-test-'));
    try {
      const json = join(folder, 'report.json');
      const only = ['--only', LOCAL, '--only', 'bare node:http'];
      const args = [MAIN, '--quick', '--body', 'varied', ...only, '--json', json];
      const { code, stdout } = await run(args);
      assert.equal(code, 0, stdout);
      const report = readReport(await readFile(json, 'utf8'));
      const rows = toRows(report);
      assert.deepEqual(
        rows.map(({ entrant }) => entrant.name),
        [REFERENCE, 'bare node:http', LOCAL],
      );
      for (const row of rows) {
        const { ordersPerSecond, p50Ms, p99Ms, readyMs, generatorRatio } = row;
        for (const value of [ordersPerSecond.median, p50Ms, p99Ms, readyMs, generatorRatio]) {
          assert.ok(value > 0, JSON.stringify(row));
        }
        if (process.platform === 'linux') assert.ok(row.cpuUs > 0 && row.httpMb > 1);
        assert.equal(row.errors, 0);
        assert.ok(stdout.includes(row.entrant.name));
      }
      assert.ok(rows[2]!.donePerSecond > 0);
      assert.equal(report.versions.node, process.versions.node);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('counts wrong responses, leaves out contestants that fail or are missing, and continues', async () => {
    const options = parseBenchOptions(['--quick', '--connections', '8'])!;
    const sometimesWrong = inProcess('sometimes wrong', (response, order) => {
      if (order > 1 && order % 10 === 0) response.statusCode = 503;
      right(response);
    });
    const alwaysWrong = inProcess('always wrong', (response) => response.end('{"result":"ok"}'));
    const absent: Contestant = {
      ...inProcess('absent', right),
      missing: async () => 'not installed',
    };
    const all = [inProcess(REFERENCE, right), alwaysWrong, absent, sometimesWrong];
    const report = await takeReport(all, options);
    const rows = toRows(report);
    assert.deepEqual(
      rows.map(({ entrant }) => entrant.name),
      [REFERENCE, 'sometimes wrong'],
    );
    assert.equal(rows[0]!.errors, 0);
    assert.ok(rows[1]!.errors > 0);
    const [missing, failed] = report.leftOut;
    assert.deepEqual(missing, { name: 'absent', reason: 'not installed', isFailure: false });
    assert.equal(failed!.name, 'always wrong');
    assert.ok(failed!.isFailure);
    assert.match(failed!.reason, /failed in round 1: .* responds 200 \{"result":"ok"\}/);
  });

  it('ends if the reference fails', async () => {
    const options = parseBenchOptions(['--quick'])!;
    const broken = inProcess(REFERENCE, (response) => response.end('nothing'));
    await assert.rejects(takeReport([broken], options), /responds 200 nothing/);
  });

  it('leaves no servers running if it is killed', async (t) => {
    const bench = spawn(process.execPath, [MAIN, '--quick', '--only', 'node:http'], {
      stdio: 'ignore',
    });
    t.after(() => bench.kill('SIGKILL'));
    let started: number[] = [];
    await eventually('the first server runs', () => {
      started = withDescendants([bench.pid!]);
      return started.some((pid) => commandLine(pid).includes('/servers/bare'));
    });
    t.after(() => endAll(started));
    bench.kill('SIGKILL');
    await once(bench, 'close');
    assert.deepEqual(await stillRunning(started), []);
  });

  it('refuses wrong options before it starts anything', async () => {
    const { code, stderr } = await run([MAIN, '--only', 'nobody of that name']);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^--only nobody of that name: must be part of one of bare uWebSockets\.js;/,
    );
    const data = await run([MAIN, '--data', '/nowhere/at/all']);
    assert.equal(data.code, 2);
    assert.equal(data.stderr, '--data /nowhere/at/all: must be an existing folder\n');
  });
});

/** Empty if the process has ended. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...args], (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? 1, stdout, stderr });
    });
  });
}
