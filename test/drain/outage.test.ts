import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Outage, type Turn } from '../../src/drain/outage.js';

const SHORT = { retryMsMin: 10, retryMsMax: 40 };
const LONG = { retryMsMin: 60_000, retryMsMax: 60_000 };

function outageOf(canWait = true): { outage: Outage; lines: string[] } {
  const lines: string[] = [];
  return { outage: new Outage({ canWait, log: (_event, line) => lines.push(line) }), lines };
}

/** Starts as many batches as are asked for; says which of them have their turn. */
function waiters(outage: Outage, count: number): (Turn | null)[] {
  const turns: (Turn | null)[] = [];
  for (let i = 0; i < count; i++) void outage.turn().then((turn) => turns.push(turn));
  return turns;
}

describe('an outage', () => {
  it('lets one probe through at a time, and all others when the probe came through', async () => {
    const { outage } = outageOf();
    outage.away((await outage.turn())!, 'away', SHORT);
    const turns = waiters(outage, 5);
    await sleep(60);
    assert.equal(turns.length, 1);
    assert.equal(turns[0]?.isProbe, true);
    outage.away(turns[0]!, 'away', SHORT);
    await sleep(60);
    assert.equal(turns.length, 2);
    outage.through(turns[1]!);
    await sleep(0);
    assert.deepEqual(
      turns.map((turn) => turn?.isProbe),
      [true, true, false, false, false],
    );
    assert.ok(turns.every((turn) => turn?.hasWaited));
    assert.equal(outage.reason, '');
  });

  it('is not prolonged by those who were under way when it began', async () => {
    const { outage } = outageOf();
    const early = [(await outage.turn())!, (await outage.turn())!, (await outage.turn())!];
    outage.away(early[0]!, 'away', SHORT);
    outage.away(early[1]!, 'away', LONG);
    const probe = (await outage.turn())!;
    assert.equal(probe.isProbe, true);
    outage.through(early[2]!);
    assert.equal(outage.reason, 'away', 'only the probe ends it');
    outage.through(probe);
    assert.equal(outage.reason, '');
  });

  it('gives back what waits when it is told to stop, but not what need not wait', async () => {
    const { outage } = outageOf();
    const turn = (await outage.turn())!;
    outage.away(turn, 'away', LONG);
    const turns = waiters(outage, 2);
    outage.stop();
    await sleep(0);
    assert.deepEqual(turns, [null, null]);
    assert.equal(await outage.turn(), null);

    const { outage: none } = outageOf();
    none.stop();
    assert.notEqual(await none.turn(), null);
  });

  it('gives no turn where nobody can wait, until the pause is over', async () => {
    const { outage } = outageOf(false);
    outage.away((await outage.turn())!, 'away', SHORT);
    assert.equal(await outage.turn(), null);
    await sleep(30);
    const probe = await outage.turn();
    assert.equal(probe?.isProbe, true);
    assert.equal(await outage.turn(), null, 'one probe is enough');
    outage.through(probe!);
    assert.equal((await outage.turn())?.isProbe, false);
  });

  it('has no reason to give once the pause is over and nobody is there to find out', async () => {
    const { outage } = outageOf(false);
    outage.away(null, 'away', SHORT);
    assert.equal(outage.reason, 'away');
    await sleep(30);
    assert.equal(outage.reason, '');
    const probe = (await outage.turn())!;
    assert.equal(outage.reason, 'away');
    outage.through(probe);
  });

  it('is told when it begins and when it ends, not at each probe', async () => {
    const { outage, lines } = outageOf();
    for (let i = 0; i < 2; i++) {
      outage.away((await outage.turn())!, 'the sink is away', SHORT);
      for (let probe = 0; probe < 3; probe++) {
        outage.away((await outage.turn())!, 'the sink is away', SHORT);
      }
      outage.through((await outage.turn())!);
    }
    assert.equal(lines.length, 4, lines.join('\n'));
    for (const [began, ended] of [lines.slice(0, 2), lines.slice(2)]) {
      assert.equal(began, 'the sink is away; trying on');
      assert.match(ended!, /^the handler goes on, after \d+\.\d s$/);
    }
  });
});
