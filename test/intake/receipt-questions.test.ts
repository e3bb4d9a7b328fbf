import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReceiptQuestions } from '../../src/intake/receipt-questions.js';
import type { Receipt, ReceiptAnswer, ReceiptQuestion } from '../../src/model/receipt.js';
import { ReceiptAnswers } from '../../workers/intake/receipt-answers.js';
import { eventually } from '../support/orders.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function open() {
  const sent: (readonly ReceiptQuestion[])[] = [];
  const desk = new ReceiptQuestions((questions) => sent.push(questions));
  const told: (Receipt | null)[] = [];
  const ask = (index: number) =>
    desk.ask({ frameId: 'F', index }, (receipt) => {
      told.push(receipt);
    });
  return { sent, desk, told, ask };
}

describe('questions about receipts', () => {
  it('of one turn go as one message, and each gets its own answer', async () => {
    const { sent, desk, told, ask } = open();
    for (const index of [7, 8, 9]) assert.ok(ask(index));
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
    desk.answer([{ sequence: c!, receipt: 'dead' }]);
    desk.answer([
      { sequence: a!, receipt: 'done' },
      { sequence: b!, receipt: null },
    ]);
    assert.deepEqual(told, ['dead', 'done', null]);
    ask(1);
    await turn();
    assert.equal(sent.length, 2);
    desk.close();
  });

  it('are refused while 1000 are open', async () => {
    const { sent, desk, told, ask } = open();
    for (let i = 0; i < 1000; i++) assert.ok(ask(i));
    assert.equal(ask(1000), false);
    await turn();
    desk.answer([{ sequence: sent[0]![0]!.sequence, receipt: 'done' }]);
    assert.ok(ask(1001));
    desk.close();
    assert.equal(told.length, 1001);
  });

  it('that nobody answers end without a receipt, and a late answer is none', async () => {
    const { sent, desk, told, ask } = open();
    ask(1);
    await eventually('given up', () => told.length === 1);
    desk.answer([{ sequence: sent[0]![0]!.sequence, receipt: 'done' }]);
    assert.deepEqual(told, [null]);
    desk.close();
  });
});

describe('answers about receipts', () => {
  it('come as they are found, together where they are found together, and null where the journal fails', async () => {
    const sent: (readonly ReceiptAnswer[])[] = [];
    const late: ((receipt: Receipt) => void)[] = [];
    const find = async (frameId: string): Promise<Receipt> => {
      if (frameId === 'late') return new Promise((resolve) => late.push(resolve));
      if (frameId === 'broken') throw new Error('the journal is away');
      return 'done';
    };
    const answers = new ReceiptAnswers(find, (message) => sent.push(message));
    const asked = ['quick', 'late', 'broken', 'quick'];
    answers.answer(asked.map((frameId, sequence) => ({ frameId, index: 0, sequence })));
    await eventually('the first answers', () => sent.length === 1);
    late[0]!('accepted');
    await eventually('the last answer', () => sent.length === 2);
    assert.deepEqual(sent, [
      [
        { sequence: 0, receipt: 'done' },
        { sequence: 2, receipt: null },
        { sequence: 3, receipt: 'done' },
      ],
      [{ sequence: 1, receipt: 'accepted' }],
    ]);
  });

  it('do not pile up behind a journal that does not answer', async () => {
    const sent: (readonly ReceiptAnswer[])[] = [];
    let asked = 0;
    const find = () => {
      asked++;
      return new Promise<Receipt>(() => {});
    };
    const answers = new ReceiptAnswers(find, (message) => sent.push(message));
    for (let i = 0; i < 1500; i++) answers.answer([{ frameId: 'F', index: 0, sequence: i }]);
    await eventually('the answers', () => sent.flat().length === 500);
    assert.equal(asked, 1000);
    assert.ok(sent.flat().every(({ receipt }) => receipt === null));
  });
});
