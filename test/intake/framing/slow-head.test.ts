import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startForebay } from '../../support/forebay.js';
import { eventually, orderBody } from '../../support/orders.js';
import { post } from '../../support/raw-http.js';
import { Session } from './session.js';

it('node:http answers 408 to a head that does not arrive in time, after the answers before it', async (t) => {
  const forebay = await startForebay(['--http', 'node', '--threads', '1'], { owner: t });
  const { head, body } = post(orderBody('ada'), { 'Content-Type': 'application/json' });
  const cases = [
    ['', [408]],
    ['POST /orders HT', [408]],
    [`${head}${body.toString()}GET`, [200, 408]],
  ] as const;
  await Promise.all(
    cases.map(async ([text, statuses]) => {
      const session = await Session.open(forebay.url);
      await session.send(Buffer.from(text));
      await eventually('the connection ends', () => session.isClosed);
      assert.deepEqual(
        session.answers().map(({ status }) => status),
        statuses,
      );
      session.destroy();
    }),
  );
  assert.equal(await forebay.stop(), 0);
});
