import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shared } from '../../src/admin/shared.js';

test('who asks while the work runs shares its result; who asks later starts it anew', async () => {
  let runs = 0;
  const shared = new Shared(async () => ++runs);
  assert.deepEqual(await Promise.all([shared.get(), shared.get(), shared.get()]), [1, 1, 1]);
  assert.equal(await shared.get(), 2);
});

test('a failure is shared too, and not kept', async () => {
  let runs = 0;
  const shared = new Shared(async () => {
    if (++runs === 1) throw new Error('first');
    return runs;
  });
  const both = await Promise.allSettled([shared.get(), shared.get()]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await shared.get(), 2);
});
