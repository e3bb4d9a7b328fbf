import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { YARDSTICK } from '../../bench/contestants/bare.js';
import type { Report } from '../../bench/harness/report.js';
import { judge } from '../../bench/harness/targets.js';
import {
  ALWAYS,
  FASTIFY,
  GO,
  GO_IN_MEMORY,
  JETSTREAM,
  RATES,
  type Rates,
  sampleReport,
} from './sample-report.js';

function verdictOn(report: Report, what: RegExp, connections = 256) {
  const found = judge(report).filter(
    (verdict) => what.test(verdict.what) && verdict.connections === connections,
  );
  assert.equal(found.length, 1, `${found.length} verdicts are ${what}`);
  return found[0]!;
}

const OF_BARE = /^JetStream, drain off ÷ bare$/;

function ofBare(share: number) {
  const rates: Rates = { ...RATES, [JETSTREAM]: RATES[YARDSTICK]!.map((rate) => rate * share) };
  return verdictOn(sampleReport(rates), OF_BARE).outcome;
}

describe('the verdict on a target', () => {
  it('is met from the bound on, with the stretch beyond, and missed below', () => {
    assert.equal(ofBare(0.849), 'MISSED');
    assert.equal(ofBare(0.85), 'met');
    assert.equal(ofBare(0.91), 'met');
    assert.equal(ofBare(0.92), 'stretch met');
  });

  it('goes by the median', () => {
    const verdict = verdictOn(sampleReport(), OF_BARE);
    assert.deepEqual(verdict.figure, { median: 0.86, least: 0.7, most: 0.9 });
    assert.equal(verdict.outcome, 'met');
  });

  it('says what was not measured', () => {
    assert.equal(verdictOn(sampleReport(), OF_BARE, 64).outcome, 'not measured');
    assert.equal(verdictOn(sampleReport(), OF_BARE, 1024).outcome, 'not measured');
    assert.equal(verdictOn(sampleReport(), /local journal/).outcome, 'not measured');
    assert.equal(verdictOn(sampleReport(), /in Go/).outcome, 'not measured');
  });

  it('holds processor time against the most that will do, nats-server included', () => {
    const outcome = (natsUs: number) =>
      verdictOn(
        sampleReport(RATES, {
          [JETSTREAM]: { httpCpuUs: 9, behindCpuUs: { 'nats-server': natsUs } },
        }),
        /processor time/,
      ).outcome;
    // Bare takes 8: 10.8 is 1.35 times that.
    assert.equal(outcome(1.79), 'met');
    assert.equal(outcome(1.81), 'MISSED');
    const unknown = { [JETSTREAM]: { httpCpuUs: Number.NaN } };
    assert.equal(verdictOn(sampleReport(RATES, unknown), /processor time/).outcome, 'not measured');
  });

  it('holds sync always against the default of the same round', () => {
    const rates = { ...RATES, [ALWAYS]: RATES[JETSTREAM]!.map((rate) => rate * 0.84) };
    const verdict = verdictOn(sampleReport(rates), /always/);
    assert.equal(verdict.outcome, 'MISSED');
    assert.ok(Math.abs(verdict.figure!.median - 0.84) < 1e-9);
  });

  it('holds against the fastest rival of the same durability', () => {
    const times = (share: number) => RATES[JETSTREAM]!.map((rate) => rate / share);
    const rates = {
      ...RATES,
      [FASTIFY]: times(8),
      [GO]: times(4),
      'Bento to JetStream': times(2.5),
      [GO_IN_MEMORY]: times(1),
    };
    const report = sampleReport(rates);
    const connect = { name: 'Bento to JetStream', kind: 'other', durability: 'system', about: '' };
    const all: Report = {
      ...report,
      entrants: [...report.entrants, connect as Report['entrants'][number]],
    };
    assert.equal(verdictOn(all, /Fastify/).outcome, 'met');
    assert.ok(Math.abs(verdictOn(report, /in Go/).figure!.median - 4) < 1e-9);
    assert.equal(verdictOn(report, /in Go/).outcome, 'met');
    assert.ok(Math.abs(verdictOn(all, /in Go/).figure!.median - 2.5) < 1e-9);
    assert.equal(verdictOn(all, /in Go/).outcome, 'MISSED');
  });

  it('is given for every body that was posted', () => {
    const plain = sampleReport();
    const report: Report = {
      ...plain,
      cases: [...plain.cases, { connections: 256, body: 'spaced' }],
    };
    const bodies = judge(report).map(({ body }) => body);
    assert.equal(bodies.filter((body) => body === 'spaced').length, bodies.length / 2);
  });
});
