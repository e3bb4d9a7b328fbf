import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { runWave } from '../../../drills/wave/command.js';
import type { WaveOptions } from '../../../drills/wave/options.js';
import { expectedArrivals } from '../../../k6/lib/sine.js';
import { OperatorFault } from '../../../src/model/fault.js';
import { Shop, type ShopOptions } from './shop.js';

const wave = { minRps: 0, maxRps: 200, periodS: 2, periods: 1 };
const expected = Math.round(expectedArrivals(wave));

async function drive(
  t: TestContext,
  shopOptions: ShopOptions,
  waveOptions: Partial<WaveOptions> = {},
) {
  const shop = await Shop.open(shopOptions);
  t.after(() => shop.close());
  const { mode, limitRps, drainRps } = shopOptions;
  const target = { url: shop.url, adminUrl: shop.url };
  const options = { ...target, mode, wave, limitRps, drainRps, settleS: 30, ...waveOptions };
  let printed = '';
  const out = {
    write: (text: string) => {
      printed += text;
    },
  };
  const summary = await runWave(options, out);
  const failed = summary.verdicts.filter(({ ok }) => !ok).map(({ text }) => text);
  return { summary, failed, printed };
}

describe('the built-in generator', () => {
  it('finds a queue that keeps its word in order', async (t) => {
    const shop = { mode: 'queue', limitRps: 0, drainRps: 120 } as const;
    const { summary, failed, printed } = await drive(t, shop);
    assert.deepEqual(failed, []);
    assert.equal(summary.offered, expected);
    assert.equal(summary.created, expected);
    assert.match(printed, /1 s {2}sine/);
  });

  it('tells created from refused in a direct shop, and finds its limit kept', async (t) => {
    const shop = { mode: 'direct', limitRps: 100, drainRps: 0 } as const;
    const { summary, failed } = await drive(t, shop);
    assert.equal(summary.created + summary.refused, expected);
    assert.ok(summary.refused > 0);
    // How many are refused depends on how evenly this machine lets requests through.
    assert.deepEqual(
      failed.filter((text) => !text.startsWith('share of 500s')),
      [],
    );
  });

  it('sends on while nobody answers, and reckons latency from when each was due', async (t) => {
    const shop = { mode: 'queue', limitRps: 0, drainRps: 1000, answerMs: 2500 } as const;
    const { summary } = await drive(t, shop);
    assert.equal(summary.created, expected);
    assert.ok(summary.latencyMs.p50 >= 2500);
  });

  it('catches a shop that admits more than its limit', async (t) => {
    const shop = { mode: 'direct', limitRps: 150, drainRps: 0 } as const;
    const { failed } = await drive(t, shop, { limitRps: 50 });
    assert.ok(failed.some((text) => text.startsWith('most 200s in a second')));
  });

  it('catches a shop that loses orders', async (t) => {
    const shop = { mode: 'direct', limitRps: 1000, drainRps: 0, fault: 'loses-orders' } as const;
    const { failed } = await drive(t, shop, { settleS: 0.5 });
    assert.ok(failed.some((text) => text.startsWith('orders processed')));
  });

  for (const fault of ['odd-body', 'odd-id'] as const) {
    it(`counts a 200 with an ${fault} as wrong`, async (t) => {
      const shop = { mode: 'queue', limitRps: 0, drainRps: 1000, fault } as const;
      const { summary } = await drive(t, shop);
      assert.equal(summary.other, expected);
      assert.equal(summary.ok, false);
    });
  }

  it('says in one line that the metrics cannot be read', async () => {
    const nowhere = { url: 'http://127.0.0.1:1', adminUrl: 'http://127.0.0.1:1' };
    const options = { mode: 'queue', wave, limitRps: 0, drainRps: 0, settleS: 0 } as const;
    await assert.rejects(
      runWave({ ...nowhere, ...options }, process.stdout),
      (fault: Error) => fault instanceof OperatorFault && /--admin-url none/.test(fault.message),
    );
  });
});
