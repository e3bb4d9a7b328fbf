import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Outage, type Permit } from '../../src/drain/outage.js';

const SHORT = { retryMsMin: 10, retryMsMax: 40 };
const LONG = { retryMsMin: 60_000, retryMsMax: 60_000 };

function outageOf(canWait = true): { outage: Outage; lines: string[] } {
  const lines: string[] = [];
  return { outage: new Outage({ canWait, log: (_event, line) => lines.push(line) }), lines };
}

/** Starts `count` batches and returns the permits that they have got so far. */
function waiters(outage: Outage, count: number): (Permit | null)[] {
  const permits: (Permit | null)[] = [];
  for (let i = 0; i < count; i++) void outage.acquire().then((permit) => permits.push(permit));
  return permits;
}

describe('an outage', () => {
  it('lets one probe through at a time, and all others when a probe has succeeded', async () => {
    const { outage } = outageOf();
    outage.begin((await outage.acquire())!, 'away', SHORT);
    const permits = waiters(outage, 5);
    await sleep(60);
    assert.equal(permits.length, 1);
    assert.equal(permits[0]?.isProbe, true);
    outage.begin(permits[0]!, 'away', SHORT);
    await sleep(60);
    assert.equal(permits.length, 2);
    outage.end(permits[1]!);
    await sleep(0);
    assert.deepEqual(
      permits.map((permit) => permit?.isProbe),
      [true, true, false, false, false],
    );
    assert.equal(outage.reason, '');
  });

  it('is not prolonged by calls that were in progress when it began', async () => {
    const { outage } = outageOf();
    const early = [(await outage.acquire())!, (await outage.acquire())!, (await outage.acquire())!];
    outage.begin(early[0]!, 'away', SHORT);
    outage.begin(early[1]!, 'away', LONG);
    const probe = (await outage.acquire())!;
    assert.equal(probe.isProbe, true);
    outage.end(early[2]!);
    assert.equal(outage.reason, 'away', 'only the probe ends it');
    outage.end(probe);
    assert.equal(outage.reason, '');
  });

  it('at a stop, gives back batches that wait, but not those that need not wait', async () => {
    const { outage } = outageOf();
    const permit = (await outage.acquire())!;
    outage.begin(permit, 'away', LONG);
    const permits = waiters(outage, 2);
    outage.stop();
    await sleep(0);
    assert.deepEqual(permits, [null, null]);
    assert.equal(await outage.acquire(), null);

    const { outage: none } = outageOf();
    none.stop();
    assert.notEqual(await none.acquire(), null);
  });

  it('if batches cannot wait, gives no permit until the pause is over', async () => {
    const { outage } = outageOf(false);
    outage.begin((await outage.acquire())!, 'away', SHORT);
    assert.equal(await outage.acquire(), null);
    await sleep(30);
    const probe = await outage.acquire();
    assert.equal(probe?.isProbe, true);
    assert.equal(await outage.acquire(), null, 'one probe is enough');
    outage.end(probe!);
    assert.equal((await outage.acquire())?.isProbe, false);
  });

  it('has no reason any more when the pause is over and no batch has probed yet', async () => {
    const { outage } = outageOf(false);
    outage.begin(null, 'away', SHORT);
    assert.equal(outage.reason, 'away');
    await sleep(30);
    assert.equal(outage.reason, '');
    const probe = (await outage.acquire())!;
    assert.equal(outage.reason, 'away');
    outage.end(probe);
  });

  it('is logged when it begins and when it ends, not at each probe', async () => {
    const { outage, lines } = outageOf();
    for (let i = 0; i < 2; i++) {
      outage.begin((await outage.acquire())!, 'the sink is away', SHORT);
      for (let probe = 0; probe < 3; probe++) {
        outage.begin((await outage.acquire())!, 'the sink is away', SHORT);
      }
      outage.end((await outage.acquire())!);
    }
    assert.equal(lines.length, 4, lines.join('\n'));
    for (const [began, ended] of [lines.slice(0, 2), lines.slice(2)]) {
      assert.equal(began, 'the sink is away; retrying');
      assert.match(ended!, /^the handler works again after \d+\.\d s$/);
    }
  });
});
