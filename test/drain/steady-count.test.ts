import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

const ORDERS = 150;
const RATE = 50;
/** Orders that are given out at once: what 60 ms allow. */
const BURST = 3;
/** Orders that the pool may have at a time: two batches. */
const IN_FLIGHT_MAX = 2 * BURST;

describe('the count of done orders at a drain rate', () => {
  it('grows order by order, even if many share a frame', async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const flags = ['--drain-rate', `${RATE}`, '--frames-in-flight-max', '1', '--threads', '1'];
    const patient = ['--commit-ms-max', '60000', '--spool-orders-max', '0'];
    const all = [...flags, ...patient, '--nats', nats.url];
    const forebay = await startForebay(all, { owner: t });
    const client = new OrderClient(forebay.url, ORDERS);
    t.after(() => client.close());
    await eventually('NATS is reached', async () => (await client.post('first')).status === 200);
    // While one frame waits for its ack, all other orders gather in the next.
    nats.freeze();
    const posted = client.postAll(Array.from({ length: ORDERS }, (_, i) => `u${i}`));
    await eventually(
      'all wait',
      async () => (await metric(forebay, 'forebay_waiting_orders')) >= ORDERS,
    );
    nats.thaw();
    let [seen, mostAtOnce] = [0, 0];
    let sentMs = performance.now();
    while (seen < ORDERS) {
      const nextMs = performance.now();
      const done = await metric(forebay, 'work_done_total{status="done"}');
      // From the sending of one request to the answer of the next: both counts are from this span.
      const spanS = (performance.now() - sentMs) / 1000;
      mostAtOnce = Math.max(mostAtOnce, done - seen - RATE * spanS);
      seen = done;
      sentMs = nextMs;
      await sleep(20);
    }
    assert.ok((await posted).every(({ status }) => status === 200));
    const frames = await metric(forebay, 'forebay_frames_committed_total');
    assert.ok(frames <= ORDERS / 5, `${frames} frames: too few orders in each to tell`);
    // Those done in a span were in the pool when it began, or were given out in it: one burst more than the rate at most.
    assert.ok(mostAtOnce <= IN_FLIGHT_MAX + BURST, `${mostAtOnce} beyond the pace`);
  });
});
