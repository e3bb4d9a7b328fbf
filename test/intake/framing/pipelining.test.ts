import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ledgerHandler, UNTIL_GO } from '../../drain/handlers.js';
import { startForebay } from '../../support/forebay.js';
import { eventually, metric, orderBody } from '../../support/orders.js';
import { post } from '../../support/raw-http.js';
import { Session } from './session.js';

const SENT = 3000;
/** The bound of the engine. */
const TAKEN = 1000;

it('node:http takes 1,000 requests of a connection that does not wait for answers, answers them, and ends it', async (t) => {
  const handler = await ledgerHandler(t, UNTIL_GO);
  const direct = ['--mode', 'direct', '--rps-limit', '0', '--batch-orders-max', '10000'];
  const flags = ['--http', 'node', '--threads', '1', '--handler', handler.file];
  const forebay = await startForebay([...direct, ...flags], { owner: t });
  const session = await Session.open(forebay.url);
  const requests = Array.from({ length: SENT }, (_, i) => {
    const { head, body } = post(orderBody(`user-${i}`), { 'Content-Type': 'application/json' });
    return head + body.toString();
  });
  await session.send(Buffer.from(requests.join('')));
  await eventually(
    'they wait',
    async () => (await metric(forebay, 'forebay_waiting_orders')) === TAKEN,
  );
  await handler.go();
  await eventually('the connection ends', () => session.isClosed);
  const told = session.answers().filter(({ status }) => status === 200);
  assert.equal(session.answers().length, TAKEN);
  const kept = (await handler.lines()).map(({ id }) => id);
  // In direct mode a started order can be processed though its client got 503.
  assert.deepEqual(
    told.map(({ orderId }) => orderId).filter((id) => !kept.includes(id)),
    [],
  );
  session.destroy();
  assert.equal(await forebay.stop(), 0);
});
