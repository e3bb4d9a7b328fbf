import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BROKEN, type SentOrders, UNSENT } from '../../drills/ledger/sent-orders.js';
import { brokenGuarantees, judge, type Processing } from '../../drills/ledger/verdict.js';

const CONTENT = { product: '1', count: '2' };
const STRICT = { isLossAllowed: false, isOnly200: false };

function sentOf(...statuses: number[]): SentOrders {
  return {
    statuses: Int16Array.from(statuses),
    ids: statuses.map((status, i) => (status === 200 ? `id-${i}` : '')),
    latenciesMs: new Float32Array(statuses.length),
  };
}

function by(runner: string, ...sequences: number[]): Processing[] {
  return sequences.map((sequence) => ({ sequence, id: `id-${sequence}`, runner, ...CONTENT }));
}

function verdictOf(sent: SentOrders, processings: readonly Processing[]) {
  const wasKilled = (runner: string) => runner.startsWith('killed');
  return judge({ sent, processings, wasKilled, contentOf: () => CONTENT });
}

describe('the verdict of a fault run', () => {
  it('is ok if every 200 was processed once', () => {
    const verdict = verdictOf(sentOf(200, 200, 503), by('a', 1, 0));
    assert.equal(verdict.perOrder, 'oo-');
    assert.deepEqual(verdict.others, { 503: 1 });
    assert.deepEqual(brokenGuarantees(verdict, STRICT), []);
  });

  it('finds a loss, unless losses are allowed', () => {
    const verdict = verdictOf(sentOf(200, 200, 200), by('a', 0, 2));
    assert.equal(verdict.perOrder, 'oLo');
    assert.deepEqual(brokenGuarantees(verdict, STRICT), ['1 lost']);
    assert.deepEqual(brokenGuarantees(verdict, { ...STRICT, isLossAllowed: true }), []);
  });

  it('finds orders processed twice, by one runner or by two', () => {
    const verdict = verdictOf(sentOf(200, 200), [...by('a', 0, 1, 1), ...by('b', 0)]);
    assert.equal(verdict.perOrder, 'DD');
    assert.deepEqual(brokenGuarantees(verdict, STRICT), ['2 doubled']);
  });

  it('finds orders processed twice among those without a response', () => {
    const verdict = verdictOf(sentOf(200, BROKEN, BROKEN), by('a', 0, 1, 1, 2));
    assert.equal(verdict.perOrder, 'oDu');
    assert.equal(verdict.lost, 0);
    assert.deepEqual(brokenGuarantees(verdict, STRICT), ['1 doubled']);
  });

  it('allows one repeat of what a killed runner did, but not two', () => {
    const processings = [...by('killed-1', 0, 1, 2), ...by('killed-2', 2), ...by('a', 0, 1, 1, 2)];
    const verdict = verdictOf(sentOf(200, 200, 200), processings);
    assert.equal(verdict.perOrder, 'rDr');
    assert.equal(verdict.repeated, 2);
    assert.deepEqual(brokenGuarantees(verdict, STRICT), ['1 doubled']);
  });

  it('finds an order processed under two ids', () => {
    const again = { sequence: 0, id: 'other', runner: 'b', ...CONTENT };
    assert.equal(verdictOf(sentOf(200), [...by('a', 0), again]).perOrder, 'D');
  });

  it('finds altered content, another id than the response had, and orders that were never sent', () => {
    const altered = { ...by('a', 0)[0]!, count: '3' };
    const renamed = { ...by('a', 1)[0]!, id: 'other' };
    const verdict = verdictOf(sentOf(200, 200, UNSENT), [altered, renamed, ...by('a', 2, 9)]);
    assert.deepEqual(brokenGuarantees(verdict, STRICT), ['2 altered', '2 processed, never sent']);
  });

  it('finds an order that was refused, but processed', () => {
    const verdict = verdictOf(sentOf(200, 503), by('a', 0, 1));
    assert.deepEqual(brokenGuarantees(verdict, STRICT), ['1 refused, but processed']);
  });

  it('finds other responses, missing responses and unsent orders if only 200 is allowed', () => {
    const verdict = verdictOf(sentOf(200, 503, BROKEN, UNSENT), by('a', 0));
    assert.deepEqual(brokenGuarantees(verdict, { ...STRICT, isOnly200: true }), [
      'not all were answered 200 (503: 1, broken: 1, unsent: 1)',
    ]);
  });

  it('is not ok if nothing was accepted', () => {
    assert.equal(brokenGuarantees(verdictOf(sentOf(503), []), STRICT).length, 1);
  });
});
