import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { deaf } from './deaf-drain.js';

async function opened(t: TestContext) {
  const thread = deaf(t);
  t.after(thread.end);
  const opening = thread.drain.open();
  thread.answer('open');
  await opening;
  return thread;
}

describe('what the main thread asks of the drain thread', () => {
  it('is one question at a time; who asks meanwhile waits for the next', async (t) => {
    const { drain, calls, answer } = await opened(t);
    const early = [drain.refresh(), drain.refresh()];
    await Promise.resolve();
    assert.equal(calls.length, 2);
    // What they want to know can be newer than the answer that is under way.
    const late = [drain.refresh(), drain.refresh(), drain.refresh()];
    answer('first');
    await Promise.all(early);
    assert.equal(drain.state.reason, 'first');
    assert.equal(calls.length, 3);
    answer('second');
    await Promise.all(late);
    assert.equal(drain.state.reason, 'second');
    assert.equal(calls.length, 3);
  });

  it('is not asked again while it hangs; a late answer is taken', async (t) => {
    const { drain, calls, answer } = await opened(t);
    // Each of them gives up after half a second.
    for (let i = 0; i < 3; i++) await Promise.all([drain.refresh(), drain.refresh()]);
    assert.equal(drain.state.reason, 'open');
    assert.deepEqual(
      calls.map(({ call }) => call),
      ['open', 'state'],
    );
    answer('late');
    await sleep(1);
    assert.equal(drain.state.reason, 'late');
  });

  it('fails at the start if something goes wrong there, and a late answer does no harm', async (t) => {
    const { drain, report, answer } = deaf(t);
    const opening = drain.open();
    const error = { error: new Error('staged'), code: null, exitCode: null };
    report({ type: 'bug', error });
    answer('open');
    await assert.rejects(opening, /staged/);
  });
});
