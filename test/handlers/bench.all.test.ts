import assert from 'node:assert/strict';
import { it } from 'node:test';
import { wrkProgram } from '../../bench/load.js';
import { postgresBench } from '../../bench/postgres.js';

/** Why there is no load generator here, which only root can install; empty if there is one. */
const lack = await wrkProgram().then(
  () => '',
  (error: Error) => error.message,
);

it('the PostgreSQL benchmark at a tiny size finds every order in the table, for each way of inserting', {
  skip: lack || false,
}, async () => {
  const options = { orders: 1500, rounds: 1, workers: 2, batchOrders: 50, postSeconds: 1 };
  const rounds = await postgresBench(options);
  assert.equal(rounds.length, 1);
  const { alone, drained, posted } = rounds[0]!;
  for (const rate of [alone, drained, posted]) assert.ok(rate > 0 && Number.isFinite(rate));
});
