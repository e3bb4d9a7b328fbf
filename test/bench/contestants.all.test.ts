import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startJetStream } from '../../bench/contestants/brokers.js';
import { startFront } from '../../bench/contestants/front.js';
import { type OtherContestant, otherContestant } from '../../bench/contestants/other.js';
import { others, othersOf } from '../../bench/contestants/others.js';
import { answers } from '../../src/model/answers.js';
import type { OrderData } from '../../src/model/order.js';
import { stillRunning, withDescendants } from './process-tree.js';
import { storedOrders } from './stored-orders.js';

const ORDERS = 20;

/** One of each kind of fault that every contestant must reject. */
const INVALID = [
  '{"product_id":"101","count":"3","username":"maksim"}',
  '{"product_id":"33","count":3,"username":"maksim"}',
  '{"product_id":"33","count":"03","username":"maksim"}',
  '{"product_id":"33","count":"3","username":""}',
  `{"product_id":"33","count":"3","username":"${'m'.repeat(65)}"}`,
  '{"product_id":"33","count":"3"}',
  '{"product_id":"33","count":"3","username":"maksim","note":"x"}',
  '{"product_id":"33"',
];

function order(i: number): OrderData {
  // ó has two bytes in UTF-8: code that confuses bytes and characters would damage it.
  return { product_id: `${i}`, count: '3', username: `józef-${i}` };
}

async function post(
  url: string,
  body: string,
  path = '/orders',
): Promise<{ status: number; body: string }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body });
  return { status: response.status, body: await response.text() };
}

const byUser = (a: OrderData, b: OrderData) => (a.username < b.username ? -1 : 1);

async function storesWhatItAccepts(contestant: OtherContestant): Promise<void> {
  const server = await contestant.start();
  let processes: number[] = [];
  try {
    processes = withDescendants([server.pid, ...Object.values(server.behind)]);
    const orders = Array.from({ length: ORDERS }, (_, i) => order(i));
    const created = { status: answers.created.status, body: answers.created.body };
    for (const answer of await Promise.all(
      orders.map((o) => post(server.url, JSON.stringify(o))),
    )) {
      assert.deepEqual(answer, created);
    }
    for (const body of INVALID) {
      const { status, body: text } = await post(server.url, body);
      assert.deepEqual([status, text], [answers.invalid.status, answers.invalid.body], body);
    }
    if (contestant.batches === 'array') {
      const batch = Array.from({ length: ORDERS }, (_, i) => order(ORDERS + i));
      const path = '/orders/batch';
      assert.deepEqual(await post(server.url, JSON.stringify(batch), path), created);
      orders.push(...batch);
      const { status } = await post(server.url, `[${INVALID[0]}]`, path);
      assert.equal(status, answers.invalid.status);
    }
    const stored = await storedOrders(server.broker);
    assert.deepEqual(stored.toSorted(byUser), orders.toSorted(byUser));
  } finally {
    await server.stop();
  }
  assert.ok(processes.length >= 2);
  assert.deepEqual(await stillRunning(processes), []);
}

describe('a contestant other than Forebay stores every order that it answers with 200', () => {
  for (const contestant of others) {
    it(contestant.name, async (t) => {
      const lacking = await contestant.lacking();
      if (lacking !== null) return t.skip(lacking);
      await storesWhatItAccepts(contestant);
    });
  }

  it('with two processes on one port', async (t) => {
    const contestant = othersOf(2)[0]!;
    const lacking = await contestant.lacking();
    if (lacking !== null) return t.skip(lacking);
    await storesWhatItAccepts(contestant);
  });
});

describe('a contestant that does not start', () => {
  it('reports the reason and leaves nothing running', async () => {
    let broker: number[] = [];
    const contestant = otherContestant({
      name: 'ends at once',
      durability: 'none',
      about: '',
      needs: [],
      startBroker: async () => {
        const started = await startJetStream('default');
        broker = Object.values(started.pids);
        return started;
      },
      startFront: () =>
        startFront({ file: process.execPath, args: ['-e', 'throw Error("no way")'] }),
    });
    await assert.rejects(contestant.start(), /is not ready:.*no way/s);
    assert.equal(broker.length, 1);
    assert.deepEqual(await stillRunning(broker), []);
  });

  it('is left out with the reason if something it needs cannot be installed', async () => {
    const contestant = otherContestant({
      name: 'needs unobtainium',
      durability: 'none',
      about: '',
      needs: [
        { lacking: async () => null, install: () => assert.fail('already installed') },
        {
          lacking: async () => 'unobtainium is not installed',
          install: () => Promise.reject(Error('sold out')),
        },
      ],
      startBroker: () => assert.fail(),
      startFront: () => assert.fail(),
    });
    assert.equal(await contestant.lacking(), 'unobtainium is not installed');
    assert.equal(await contestant.missing(), 'sold out');
  });
});
