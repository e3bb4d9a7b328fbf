import assert from 'node:assert/strict';
import { it } from 'node:test';
import { postgresBench } from '../../bench/postgres.js';

it('the PostgreSQL benchmark, tiny, finds every order in the table, whichever way it came', async () => {
  const rounds = await postgresBench({ orders: 1500, rounds: 1, workers: 2, batchOrders: 50 });
  assert.equal(rounds.length, 1);
  const { alone, drained, posted } = rounds[0]!;
  for (const rate of [alone, drained, posted]) assert.ok(rate > 0 && Number.isFinite(rate));
});
