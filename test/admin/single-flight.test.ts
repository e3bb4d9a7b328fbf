import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SingleFlight } from '../../src/admin/server.js';

test('calls during a run share its result; a later call starts a new run', async () => {
  let runs = 0;
  const flight = new SingleFlight(async () => ++runs);
  assert.deepEqual(await Promise.all([flight.run(), flight.run(), flight.run()]), [1, 1, 1]);
  assert.equal(await flight.run(), 2);
});

test('a failure is shared too, and not kept', async () => {
  let runs = 0;
  const flight = new SingleFlight(async () => {
    if (++runs === 1) throw new Error('first');
    return runs;
  });
  const both = await Promise.allSettled([flight.run(), flight.run()]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await flight.run(), 2);
});
