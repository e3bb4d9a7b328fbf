import { it } from 'node:test';
import { ledgerHandler, UNTIL_GO } from '../drain/handlers.js';
import { startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

const ORDERS = 600;
const FRAME_ORDERS = 10;
const PENDING = 'forebay_journal_pending_orders';

it('two instances on one stream both know its backlog, although one accepts and the other processes', async (t) => {
  const nats = await NatsServer.start();
  t.after(() => nats.stop());
  // A frame counts until its last order is processed, so frames are small.
  const small = ['--frame-orders-max', String(FRAME_ORDERS)];
  const taking = await startForebay(['--nats', nats.url, '--drain', 'off', ...small], { owner: t });
  // It stays at about half, so that the numbers can be compared.
  const body = `globalThis.orders = (globalThis.orders ?? 0) + orders.length;
    if (globalThis.orders > ${ORDERS / 2}) { ${UNTIL_GO} }`;
  const handler = await ledgerHandler(t, body);
  const flags = ['--nats', nats.url, '--handler', handler.file, '--workers', '1'];
  const working = await startForebay([...flags, '--batch-orders-max', '8'], { owner: t });
  const client = new OrderClient(taking.url);
  t.after(async () => client.close());
  await client.postAll(Array.from({ length: ORDERS }, (_, i) => `user-${i}`));

  const done = () => metric(working, 'work_done_total{status="done"}');
  await eventually('it stops', async () => (await handler.lines()).length > ORDERS / 2);
  let seen = '';
  const agrees = async () => {
    const left = ORDERS - (await done());
    const pending = await Promise.all([metric(taking, PENDING), metric(working, PENDING)]);
    seen = `${pending} of ${left}`;
    return pending.every((orders) => Math.abs(orders - left) < 0.1 * left + 2 * FRAME_ORDERS);
  };
  await eventually(() => seen, agrees);

  await handler.go();
  await eventually('nothing is left', async () => {
    const pending = await Promise.all([metric(taking, PENDING), metric(working, PENDING)]);
    return (await done()) === ORDERS && pending.every((orders) => orders === 0);
  });
});
