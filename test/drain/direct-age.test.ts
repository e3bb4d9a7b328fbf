import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { openDrain } from '../../src/drain/open.js';
import { DirectAppender } from '../../src/journal/direct-appender.js';
import { memoryControl } from '../../src/journal/kept-control.js';
import { monotonicNs } from '../../src/limit/clock.js';
import { COUNTER, createCounts, ThreadCounts } from '../../src/metrics/count.js';
import type { Frame } from '../../src/model/frame.js';
import { VERDICT } from '../../src/model/journal.js';
import { loadOptions } from '../../src/options/load.js';

const ORDER = '{"product_id":"33","count":"3","username":"maksim.konovalov"}\n';

it('in direct mode, an order that has waited too long is refused instead of processed', async () => {
  const options = loadOptions(['--mode', 'direct', '--workers', '1'], {});
  const counts = new ThreadCounts(createCounts(1), 0);
  const drain = openDrain({
    options,
    source: null,
    hand: null,
    counts,
    entry: fileURLToPath(new URL('../../workers/pool/entry.cjs', import.meta.url)),
    handlerUrl: new URL('../../workers/handlers/simulate.js', import.meta.url).href,
    ...memoryControl(options, console.error),
    nowNs: monotonicNs,
    log: console.error,
  });
  const { port1, port2 } = new MessageChannel();
  drain.serveDirect(port1);
  // The test is about the age: a busy machine must not reach the deadline of the commit first.
  const appender = new DirectAppender(port2, 60_000);
  const frame = (id: string, acceptedAtMs: number): Frame => ({
    id,
    count: 2,
    acceptedAtMs,
    payload: Buffer.from(ORDER.repeat(2)),
    attempt: 1,
    notBeforeMs: 0,
    refiled: null,
    keys: [],
  });
  try {
    const old = await appender.commit(
      frame('01M83MSMYH5PA2B9QP00000000', Date.now() - options.commitMsMax),
    );
    assert.deepEqual(old, new Uint8Array([VERDICT.refused, VERDICT.refused]));
    assert.equal(counts.get(COUNTER.workDone), 0);
    // An order from the future, as after the clock was set back, has the usual time.
    const young = await appender.commit(
      frame('01M83MSMYH5PA2B9QP00000001', Date.now() + 3_600_000),
    );
    assert.equal(young, null);
    assert.equal(counts.get(COUNTER.workDone), 2);
  } finally {
    await appender.close();
    await drain.stop();
    await drain.destroyPool();
  }
});
