import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LedgerLease } from '../../src/journal/ledger/lease.js';
import { until } from './frames.js';

describe('the lease', () => {
  function open(catchUp: () => Promise<void>) {
    let heard = () => {};
    const onHeard = (listener: () => void) => {
      heard = listener;
    };
    const peers = { isHeard: true, lapses: 1, onHeard };
    const lease = new LedgerLease({ catchUp }, peers);
    return { lease, peers, heard: () => heard() };
  }

  test('begins once this process is heard and has read the ledger', async () => {
    let isRead = () => {};
    const { lease, heard } = open(
      () =>
        new Promise((resolve) => {
          isRead = resolve;
        }),
    );
    const terms: number[] = [];
    lease.onTerm(() => terms.push(lease.term));
    assert.equal(lease.term, 0);
    heard();
    assert.equal(lease.term, 0);
    isRead();
    await until(() => lease.term === 1, 'the first term');
    assert.deepEqual(terms, [0], 'listeners come first');
  });

  test('ends at once when this process may not have been heard, and begins again after reading the ledger', async () => {
    let reads = 0;
    const { lease, peers, heard } = open(async () => void reads++);
    heard();
    await until(() => lease.term === 1, 'the first term');
    heard();
    assert.equal(reads, 1, 'no unnecessary read');
    peers.isHeard = false;
    assert.equal(lease.term, 0);
    peers.isHeard = true;
    assert.equal(lease.term, 0, 'being heard again is not enough');
    heard();
    await until(() => lease.term === 2, 'the second term');
    assert.equal(reads, 2);
  });

  test('has ended at a lapse that nobody saw', async () => {
    let reads = 0;
    const { lease, peers, heard } = open(async () => void reads++);
    heard();
    await until(() => lease.term === 1, 'the first term');
    peers.lapses++;
    heard();
    await until(() => lease.term === 2, 'the second term');
    assert.equal(reads, 2);
  });

  test('does not begin with what was read before a lapse', async () => {
    let reads = 0;
    const { lease, peers, heard } = open(async () => {
      if (reads++ === 0) peers.lapses++;
    });
    heard();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(lease.term, 0);
    heard();
    await until(() => lease.term === 1, 'the first term');
    assert.equal(reads, 2);
  });

  test('reports why nothing is processed, after a while', async (t) => {
    const { lease, heard } = open(async () => {});
    assert.equal(lease.reason, '');
    const nowMs = performance.now();
    t.mock.method(performance, 'now', () => nowMs + 6000);
    assert.match(lease.reason, /own heartbeats/);
    heard();
    await until(() => lease.term === 1, 'the first term');
    assert.equal(lease.reason, '');
  });

  test('does not begin when it expires while the ledger is read', async () => {
    const { lease, peers, heard } = open(async () => {
      peers.isHeard = false;
    });
    heard();
    await new Promise((resolve) => setTimeout(resolve, 20));
    peers.isHeard = true;
    assert.equal(lease.term, 0);
  });
});
