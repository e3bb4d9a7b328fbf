import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GroupCommit } from '../../src/commit/group-commit.js';
import { frameHeaders } from '../../src/journal/nats/headers.js';
import { createCounts, ThreadCounts } from '../../src/metrics/count.js';
import type { Frame } from '../../src/model/frame.js';
import { CommitAmbiguous, CommitRefused } from '../../src/model/journal.js';
import type { KeyedWaiter } from '../../src/model/stages.js';
import { orderContract } from '../../src/schema/contract.js';
import { openValidator } from '../../src/schema/validator.js';
import { eventually, orderBody } from '../support/orders.js';
import { ManualAppender } from './manual-appender.js';

function open({
  frameBytesMax = 4096,
  frameOrdersMax = 4,
  waitingOrdersMax = 20,
  commitMsMax = 60_000,
} = {}) {
  const appender = new ManualAppender();
  const bounds = {
    frameOrdersMax,
    frameBytesMax,
    framesInFlightMax: 3,
    waitingOrdersMax,
    commitMsMax,
    threads: 1,
  };
  const counts = new ThreadCounts(createCounts(1), 0);
  const group = new GroupCommit(appender, bounds, counts, () => {});
  const validator = openValidator(orderContract);
  const validate = (username: string) => {
    const bytes = new TextEncoder().encode(orderBody(username));
    assert.equal(validator.validate(bytes, 0, bytes.length), true);
  };
  const take = (username: string) => {
    validate(username);
    const waiter = { isGone: false, accepted: () => {}, refused: () => {}, ambiguous: () => {} };
    assert.ok(group.take(validator, waiter));
  };
  /** An order with a key; records the calls of its waiter. */
  const takeKeyed = (username: string, key: string): string[] => {
    validate(username);
    const calls: string[] = [];
    const waiter: KeyedWaiter = {
      isGone: false,
      key,
      digest: '0123456789abcdef',
      placed: (_, index) => calls.push(`placed ${index}`),
      accepted: (_, index) => calls.push(`accepted ${index}`),
      refused: () => calls.push('refused'),
      ambiguous: () => calls.push('ambiguous'),
      acceptedLate: () => calls.push('accepted late'),
      refusedLate: () => calls.push('refused late'),
    };
    assert.ok(group.takeKeyed(validator, waiter));
    return calls;
  };
  return { appender, take, takeKeyed };
}

/** Size of the headers in the NATS protocol. */
function encodedBytes(frame: Frame): number {
  return (frameHeaders(frame) as unknown as { encode(): Uint8Array }).encode().length;
}

/** A frame is sent at the end of the turn after the one in which it got its first order. */
async function turn(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('group commit of orders with idempotency keys', () => {
  it('passes keys to the journal with their positions, and no keys of an earlier frame', async () => {
    const { appender, take, takeKeyed } = open();
    take('a');
    const calls = takeKeyed('b', 'key-b');
    await turn();
    const { frame, resolve } = appender.sent[0]!;
    assert.deepEqual(frame.keys, [{ position: 1, key: 'key-b', digest: '0123456789abcdef' }]);
    resolve(null);
    await turn();
    assert.deepEqual(calls, ['placed 1', 'accepted 1']);
    take('c');
    await turn();
    assert.deepEqual(appender.sent[1]!.frame.keys, []);
    assert.equal(frame.keys.length, 1);
  });

  it('counts keys towards the bytes of a frame', async () => {
    const line = orderBody('a').length + 1;
    const key = 'k'.repeat(64);
    const frameBytesMax = 2 * line + (key.length + 32);
    const { appender, take, takeKeyed } = open({ frameBytesMax });
    takeKeyed('a', key);
    take('b');
    take('c');
    takeKeyed('d', key);
    await turn();
    assert.deepEqual(
      appender.sent.map(({ frame }) => frame.count),
      [2, 2],
    );
  });

  it('keeps the keys of a frame below the header limit of NATS, for any frame size', async () => {
    const orders = 3000;
    const { appender, take, takeKeyed } = open({
      frameBytesMax: 900_000,
      frameOrdersMax: 10_000,
      waitingOrdersMax: 2 * orders,
    });
    for (let i = 0; i < orders; i++) {
      takeKeyed(`user-${i}`, `${i}`.padStart(64, 'k'));
      take(`other-${i}`);
    }
    for (let turns = 0; turns < 20; turns++) {
      await turn();
      for (const { resolve } of appender.sent) resolve(null);
    }
    const { sent } = appender;
    assert.equal(
      sent.reduce((sum, { frame }) => sum + frame.keys.length, 0),
      orders,
    );
    const headerBytes = sent.map(({ frame }) => encodedBytes(frame));
    assert.ok(Math.max(...headerBytes) < 64 * 1024, `${headerBytes}`);
    assert.ok(Math.max(...headerBytes) > 40 * 1024, `${headerBytes}`);
  });

  it('reports the late outcome of an abandoned frame to the waiters with a key', async () => {
    const { appender, take, takeKeyed } = open({ commitMsMax: 1000 });
    const calls: string[][] = [];
    for (const name of ['a', 'b', 'c']) {
      // A further frame is sent once it is as large as those in flight.
      if (name === 'c') take('d');
      calls.push(takeKeyed(name, name));
      await turn();
    }
    await eventually('all frames are abandoned', () =>
      calls.every((received) => received.includes('ambiguous')),
    );
    appender.sent[0]!.resolve(null);
    appender.sent[1]!.reject(new CommitRefused('full'));
    appender.sent[2]!.reject(new CommitAmbiguous('no ack'));
    await turn();
    assert.deepEqual(
      calls.map((received) => received.slice(2)),
      [['accepted late'], ['refused late'], []],
    );
  });
});
