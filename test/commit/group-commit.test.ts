import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GroupCommit, type GroupCommitBounds } from '../../src/commit/group-commit.js';
import { createCounts, ThreadCounts } from '../../src/metrics/count.js';
import { CommitAmbiguous, CommitRefused } from '../../src/model/journal.js';
import type { Waiter } from '../../src/model/stages.js';
import { orderContract } from '../../src/schema/contract.js';
import { openValidator } from '../../src/schema/validator.js';
import { orderBody } from '../support/orders.js';
import { ManualAppender } from './manual-appender.js';

const BOUNDS: GroupCommitBounds = {
  frameOrdersMax: 4,
  frameBytesMax: 4096,
  framesInFlightMax: 2,
  waitingOrdersMax: 20,
  commitMsMax: 60_000,
  threads: 1,
};

function open(bounds: Partial<GroupCommitBounds> = {}) {
  const appender = new ManualAppender();
  const counts = new ThreadCounts(createCounts(1), 0);
  const group = new GroupCommit(appender, { ...BOUNDS, ...bounds }, counts, () => {});
  const answers = new Map<string, string>();
  const validator = openValidator(orderContract);
  const take = (username: string): boolean => {
    const bytes = new TextEncoder().encode(orderBody(username));
    assert.equal(validator.validate(bytes, 0, bytes.length), true);
    const once = (answer: string) => {
      assert.ok(!answers.has(username), `${username} was answered twice`);
      answers.set(username, answer);
    };
    const waiter: Waiter = {
      isGone: false,
      accepted: (frameId, index) => once(`${frameId}-${index}`),
      refused: () => once('refused'),
      ambiguous: () => once('ambiguous'),
    };
    return group.take(validator, waiter);
  };
  return { appender, group, answers, take };
}

/** A frame is sent at the end of the turn after the one in which it got its first order. */
async function turn(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('group commit', () => {
  it('refuses orders when the full frames that wait take all their memory', async () => {
    const { appender, take, answers } = open({
      frameOrdersMax: 1,
      frameBytesMax: 100 * 1024 * 1024,
    });
    // Two full frames fit into 256 MiB beside the open one.
    assert.deepEqual(['a', 'b', 'c', 'd'].map(take), [true, true, true, false]);
    await turn();
    for (const sent of appender.sent) sent.resolve(null);
    await turn();
    assert.ok(take('e'));
    assert.ok(answers.has('a'));
  });

  it('sends the orders of one event-loop turn as one frame at the end of the next turn', async () => {
    const { appender, take } = open();
    for (const name of ['a', 'b', 'c']) assert.ok(take(name));
    assert.equal(appender.sent.length, 0);
    await turn();
    assert.equal(appender.sent.length, 1);
    assert.equal(
      appender.sent[0]!.text,
      ['a', 'b', 'c'].map((name) => `${orderBody(name)}\n`).join(''),
    );
    assert.equal(appender.sent[0]!.frame.count, 3);
  });

  it('answers no client before the acknowledgement, and then each with its place in the frame', async () => {
    const { appender, answers, take } = open();
    take('a');
    take('b');
    await turn();
    assert.equal(answers.size, 0);
    appender.sent[0]!.resolve(null);
    await turn();
    const { id } = appender.sent[0]!.frame;
    assert.deepEqual(
      [...answers],
      [
        ['a', `${id}-0`],
        ['b', `${id}-1`],
      ],
    );
  });

  it('lets the current frame grow while the maximum of frames is in flight', async () => {
    const { appender, take } = open();
    for (const name of ['a', 'b']) {
      take(name);
      await turn();
    }
    for (const name of ['c', 'd', 'e']) {
      take(name);
      await turn();
    }
    assert.equal(appender.sent.length, 2);
    appender.sent[0]!.resolve(null);
    await turn();
    await turn();
    assert.equal(appender.sent.length, 3);
    assert.equal(appender.sent[2]!.frame.count, 3);
  });

  it('sends a further frame once it is as large as all frames in flight, and at once if there are none', async () => {
    const { appender, take } = open({ framesInFlightMax: 8, frameOrdersMax: 100 });
    const counts = () => appender.sent.map(({ frame }) => frame.count);
    const takeInTurns = async (orders: number) => {
      for (let i = 0; i < orders; i++) {
        take(`user-${i}`);
        await turn();
      }
    };
    await takeInTurns(10);
    assert.deepEqual(counts(), [1, 1, 2, 4]);
    for (const { resolve } of appender.sent) resolve(null);
    await turn();
    await turn();
    assert.deepEqual(counts(), [1, 1, 2, 4, 2]);
  });

  it('queues a full frame and never has more than the maximum in flight', async () => {
    const { appender, answers, take } = open();
    for (let i = 0; i < 18; i++) assert.ok(take(`user-${i}`));
    for (let settled = 0; answers.size < 18; settled++) {
      await turn();
      await turn();
      assert.ok(appender.sent.length - settled <= BOUNDS.framesInFlightMax);
      assert.ok(appender.sent[settled]!.frame.count <= BOUNDS.frameOrdersMax);
      appender.sent[settled]!.resolve(null);
      await turn();
    }
    const posted = Array.from({ length: 18 }, (_, i) => `${orderBody(`user-${i}`)}\n`).join('');
    assert.equal(appender.sent.map(({ text }) => text).join(''), posted);
  });

  it('starts a new frame if the next order does not fit', async () => {
    const { appender, take } = open({ frameBytesMax: 2 * (orderBody('a').length + 1) });
    for (const name of ['a', 'b', 'c', 'd', 'e']) take(name);
    await turn();
    assert.deepEqual(
      appender.sent.map(({ frame }) => frame.count),
      [2, 2],
    );
    appender.sent[0]!.resolve(null);
    appender.sent[1]!.resolve(null);
    await turn();
    await turn();
    assert.equal(appender.sent[2]!.frame.count, 1);
  });

  it('refuses orders above the maximum of waiting orders, and accepts them again when there is room', async () => {
    const { appender, answers, take } = open({ waitingOrdersMax: 2 });
    assert.ok(take('a'));
    assert.ok(take('b'));
    assert.equal(take('c'), false);
    await turn();
    appender.sent[0]!.resolve(null);
    await turn();
    assert.ok(take('d'));
    assert.equal(answers.has('c'), false);
  });

  it('refuses orders while the journal accepts no writes', () => {
    const { appender, take } = open();
    appender.writable = false;
    assert.equal(take('a'), false);
  });

  it('distinguishes a refused commit, an ambiguous commit, and individually refused orders', async () => {
    const { appender, answers, take } = open({ framesInFlightMax: 3 });
    for (const names of [['a'], ['b'], ['c', 'e']]) {
      for (const name of names) take(name);
      await turn();
    }
    take('d');
    appender.sent[0]!.reject(new CommitRefused('full'));
    appender.sent[1]!.reject(new CommitAmbiguous('no ack'));
    appender.sent[2]!.resolve(Uint8Array.of(0, 1));
    await turn();
    await turn();
    appender.sent[3]!.resolve(Uint8Array.of(1));
    await turn();
    assert.deepEqual(
      [answers.get('a'), answers.get('b'), answers.get('c')],
      ['refused', 'ambiguous', 'refused'],
    );
    assert.equal(answers.get('d'), `${appender.sent[3]!.frame.id}-0`);
  });

  it('does not reuse the bytes of a failed commit, because the journal may still use them', async () => {
    const { appender, take } = open({ framesInFlightMax: 1 });
    take('kept');
    await turn();
    const { payload } = appender.sent[0]!.frame;
    appender.sent[0]!.reject(new CommitAmbiguous('no ack'));
    await turn();
    take('next');
    await turn();
    assert.equal(Buffer.from(payload).toString(), `${orderBody('kept')}\n`);
  });

  it('refuses a frame that could not be sent in time', async (t) => {
    // A clock that goes on only here: one that was sent has half a second more, in which a machine may stall.
    let nowMs = performance.now();
    t.mock.method(performance, 'now', () => nowMs);
    const { answers, take } = open({ framesInFlightMax: 1, commitMsMax: 1000 });
    take('sent');
    await turn();
    take('stuck');
    nowMs += 1200;
    while (!answers.has('stuck')) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(answers.get('stuck'), 'refused');
    assert.equal(answers.has('sent'), false);
  });

  it('is drained when the last order has been answered', async () => {
    const { appender, group, take } = open();
    take('a');
    let isDrained = false;
    const drained = group.drained().then(() => {
      isDrained = true;
    });
    await turn();
    assert.equal(isDrained, false);
    appender.sent[0]!.resolve(null);
    await drained;
    await open().group.drained();
  });
});
