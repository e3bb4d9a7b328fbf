import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { deaf } from './deaf-drain.js';

async function opened(t: TestContext) {
  const thread = deaf(t);
  const opening = thread.drain.open();
  thread.answer('open');
  await opening;
  return thread;
}

/** What the shutdown does once the thread has ended: nothing fails, and nothing waits for it. */
async function assertStops({ drain }: ReturnType<typeof deaf>): Promise<void> {
  for (const step of ['stopDrain', 'closeJournal', 'destroyPool'] as const) await drain.stop(step);
  await drain.end();
}

describe('a drain thread that dies', () => {
  it('while it opens is why that fails', async (t) => {
    const thread = deaf(t);
    const opening = thread.drain.open();
    void thread.die(7);
    await assert.rejects(opening, /the drain thread ended with code 7/);
    await assert.rejects(thread.drain.call('loadKeys'), /ended with code 7/);
    await assertStops(thread);
    assert.deepEqual(thread.faults, []);
  });

  it('is told with its exit code, and to all who wait for an answer', async (t) => {
    const thread = await opened(t);
    const { drain, faults } = thread;
    const asked = [
      drain.call('begin'),
      drain.change({ rate: 1, by: 'test' }),
      drain.stop('stopDrain'),
    ];
    const refreshed = drain.refresh();
    void thread.die(7);
    for (const answer of await Promise.allSettled(asked)) {
      assert.equal(answer.status, 'rejected');
      assert.match((answer.reason as Error).message, /the drain thread ended with code 7/);
    }
    await refreshed;
    assert.deepEqual(
      faults.map(({ message }) => message),
      ['the drain thread ended with code 7'],
    );
    await assertStops(thread);
    await assert.rejects(drain.call('ready'), /ended with code 7/);
    await drain.refresh();
    assert.equal(drain.state.reason, 'open');
    assert.equal(faults.length, 1);
  });

  it('of an error is told with that error', async (t) => {
    const thread = await opened(t);
    const { drain, faults } = thread;
    const asked = drain.call('begin');
    const error = new Error('no memory left');
    void thread.die(1, error);
    await assert.rejects(asked, error);
    assert.deepEqual(faults, [error]);
    await assert.rejects(drain.call('ready'), error);
    await assertStops(thread);
  });

  it('while it ends is told to the one who ends it', async (t) => {
    const thread = await opened(t);
    const ending = thread.drain.end();
    void thread.die(7);
    await assert.rejects(ending, /ended with code 7/);
    assert.deepEqual(thread.faults, []);
  });
});

describe('a drain thread that ends in order', () => {
  it('has ended when that is told, and is no fault', async (t) => {
    const thread = await opened(t);
    let hasEnded = false;
    const ending = thread.drain.end().then(() => {
      hasEnded = true;
    });
    assert.equal(thread.calls.at(-1)!.call, 'end');
    thread.answer('');
    await nextTurn();
    assert.equal(hasEnded, false);
    void thread.die(0);
    await ending;
    assert.deepEqual(thread.faults, []);
    await assertStops(thread);
  });

  it('without being opened is asked for nothing', async (t) => {
    const thread = deaf(t);
    await thread.drain.end();
    assert.ok(thread.hasEnded());
    assert.deepEqual(thread.calls, []);
    assert.deepEqual(thread.faults, []);
  });

  it('because it cannot open has ended when that is told', async (t) => {
    const thread = deaf(t);
    const opening = thread.drain.open();
    const error = { error: new Error('no such folder'), code: null, exitCode: null };
    thread.report({ type: 'failure', id: thread.calls[0]!.id, error });
    await assert.rejects(opening, /no such folder/);
    assert.ok(thread.hasEnded());
    await assert.rejects(thread.drain.call('ready'), /the drain thread ended with code/);
    await assertStops(thread);
    assert.deepEqual(thread.faults, []);
  });
});
