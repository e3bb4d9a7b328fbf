/** Rounds of the open-model benchmarks, and continued runs. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Machine } from '../../bench/open-model/machine.js';
import { noRounds, type Run, takeRounds } from '../../bench/open-model/rounds.js';
import type { Server } from '../../bench/open-model/servers.js';

const servers: readonly Server[] = ['one', 'other'].map((name) => ({
  name,
  flags: [`--${name}`],
  start: () => Promise.reject(new Error('nothing is started here')),
}));

interface Measured extends Run<string> {
  readonly seconds: number;
}

function newRun(model: string, seconds = 2): Measured {
  return { machine: { model } as Machine, seconds, servers: noRounds(servers) };
}

function jsonFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-rounds-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'run.json');
}

function roundsOf(run: Measured): (readonly string[])[] {
  return run.servers.map(({ rounds }) => rounds);
}

describe('rounds of an open-model benchmark', () => {
  it('take turns, only for the servers asked for, and are added to those of an earlier run', async (t) => {
    const json = jsonFile(t);
    const measured: string[] = [];
    const measure = async ({ name }: Server) => {
      measured.push(name);
      return `${name} ${measured.length}`;
    };
    const given = { rounds: '2', only: '', json, continue: true };
    await takeRounds(newRun('some'), servers, given, measure);
    assert.deepEqual(measured, ['one', 'other', 'one', 'other']);
    const again = newRun('another machine');
    await takeRounds(again, servers, { ...given, rounds: '1', only: 'oth' }, measure);
    assert.deepEqual(roundsOf(again), [
      ['one 1', 'one 3'],
      ['other 2', 'other 4', 'other 5'],
    ]);
  });

  it('are saved if a later one fails', async (t) => {
    const given = { rounds: '1', only: '', json: jsonFile(t), continue: true };
    const failing = takeRounds(newRun('some'), servers, given, async ({ name }) => {
      if (name === 'other') throw new Error('it broke');
      return name;
    });
    await assert.rejects(failing, /it broke/);
    const run = newRun('some');
    await takeRounds(run, servers, { ...given, rounds: '0' }, async () => '');
    assert.deepEqual(roundsOf(run), [['one'], []]);
  });

  it('are not added to a run with other settings', async (t) => {
    const given = { rounds: '1', only: '', json: jsonFile(t), continue: true };
    await takeRounds(newRun('some'), servers, given, async () => 'seen');
    const other = takeRounds(newRun('some', 3), servers, given, async () => 'seen');
    await assert.rejects(other, /run\.json was measured with other settings/);
  });
});
