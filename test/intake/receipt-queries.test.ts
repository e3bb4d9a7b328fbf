import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReceiptQueries } from '../../src/intake/receipt-queries.js';
import type {
  PlacedReceipt,
  Receipt,
  ReceiptQuery,
  ReceiptReply,
} from '../../src/model/receipt.js';
import { ReceiptReplies } from '../../workers/drain/receipt-replies.js';
import { eventually } from '../support/orders.js';

const placed = (status: Receipt): PlacedReceipt => ({ status, ahead: null, byMs: null });

const turn = () => new Promise((resolve) => setImmediate(resolve));

function open() {
  const sent: (readonly ReceiptQuery[])[] = [];
  const queries = new ReceiptQueries((message) => sent.push(message));
  const received: (Receipt | null)[] = [];
  const lookUp = (index: number) =>
    queries.lookUp({ frameId: 'F', index }, (receipt) => {
      received.push(receipt?.status ?? null);
    });
  return { sent, queries, received, lookUp };
}

describe('receipt queries', () => {
  it('of one turn are sent as one message, and each gets its own reply', async () => {
    const { sent, queries, received, lookUp } = open();
    for (const index of [7, 8, 9]) assert.ok(lookUp(index));
    assert.equal(sent.length, 0);
    await turn();
    assert.equal(sent.length, 1);
    assert.deepEqual(
      sent[0]!.map(({ frameId, index }) => [frameId, index]),
      [
        ['F', 7],
        ['F', 8],
        ['F', 9],
      ],
    );
    const [a, b, c] = sent[0]!.map(({ sequence }) => sequence);
    queries.receive([{ sequence: c!, receipt: placed('dead') }]);
    queries.receive([
      { sequence: a!, receipt: placed('done') },
      { sequence: b!, receipt: null },
    ]);
    assert.deepEqual(received, ['dead', 'done', null]);
    lookUp(1);
    await turn();
    assert.equal(sent.length, 2);
    queries.close();
  });

  it('are refused while 1000 are pending', async () => {
    const { sent, queries, received, lookUp } = open();
    for (let i = 0; i < 1000; i++) assert.ok(lookUp(i));
    assert.equal(lookUp(1000), false);
    await turn();
    queries.receive([{ sequence: sent[0]![0]!.sequence, receipt: placed('done') }]);
    assert.ok(lookUp(1001));
    queries.close();
    assert.equal(received.length, 1001);
  });

  it('expire without a receipt, and a late reply is ignored', async () => {
    const { sent, queries, received, lookUp } = open();
    lookUp(1);
    await eventually('expired', () => received.length === 1);
    queries.receive([{ sequence: sent[0]![0]!.sequence, receipt: placed('done') }]);
    assert.deepEqual(received, [null]);
    queries.close();
  });
});

describe('receipt replies', () => {
  it('are sent when they are found, those of one turn together, and are null if the journal fails', async () => {
    const sent: (readonly ReceiptReply[])[] = [];
    const late: ((receipt: PlacedReceipt) => void)[] = [];
    const find = async (frameId: string): Promise<PlacedReceipt> => {
      if (frameId === 'late') return new Promise((resolve) => late.push(resolve));
      if (frameId === 'broken') throw new Error('the journal is unreachable');
      return placed('done');
    };
    const replies = new ReceiptReplies(find, (message) => sent.push(message));
    const frameIds = ['quick', 'late', 'broken', 'quick'];
    replies.reply(frameIds.map((frameId, sequence) => ({ frameId, index: 0, sequence })));
    await eventually('the first replies', () => sent.length === 1);
    late[0]!(placed('accepted'));
    await eventually('the last reply', () => sent.length === 2);
    assert.deepEqual(sent, [
      [
        { sequence: 0, receipt: placed('done') },
        { sequence: 2, receipt: null },
        { sequence: 3, receipt: placed('done') },
      ],
      [{ sequence: 1, receipt: placed('accepted') }],
    ]);
  });

  it('stay bounded if the journal does not answer', async () => {
    const sent: (readonly ReceiptReply[])[] = [];
    let lookups = 0;
    const find = () => {
      lookups++;
      return new Promise<PlacedReceipt>(() => {});
    };
    const replies = new ReceiptReplies(find, (message) => sent.push(message));
    for (let i = 0; i < 1500; i++) replies.reply([{ frameId: 'F', index: 0, sequence: i }]);
    await eventually('the replies', () => sent.flat().length === 500);
    assert.equal(lookups, 1000);
    assert.ok(sent.flat().every(({ receipt }) => receipt === null));
  });
});
