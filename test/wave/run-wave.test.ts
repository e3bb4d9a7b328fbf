import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { expectedArrivals } from '../../k6/lib/sine.js';
import { OperatorFault } from '../../src/contract/fault.js';
import { runWave } from '../../src/wave/run-wave.js';
import type { WaveOptions } from '../../src/wave/wave-options.js';
import { Shop, type ShopOptions } from './shop.js';

const wave = { minRps: 0, maxRps: 200, periodS: 4, periods: 1 };
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
  let printed = '';
  const out = { write: (text: string) => (printed += text) };
  const summary = await runWave(
    { ...target, mode, wave, limitRps, drainRps, settleS: 30, ...waveOptions },
    out,
  );
  const failed = summary.verdicts.filter(({ ok }) => !ok).map(({ text }) => text);
  return { summary, failed, printed };
}

describe('the built-in generator', { concurrency: true }, () => {
  it('finds a queue that keeps its word in order', async (t) => {
    const { summary, failed, printed } = await drive(t, {
      mode: 'queue',
      limitRps: 0,
      drainRps: 120,
    });
    assert.deepEqual(failed, []);
    assert.equal(summary.offered, expected);
    assert.equal(summary.created, expected);
    assert.match(printed, /1 s {2}sine/);
  });

  it('finds a direct shop that keeps its limit in order', async (t) => {
    const shop = { mode: 'direct', limitRps: 100, drainRps: 0 } as const;
    // The share is judged over a wave long enough for the first second's credit not to matter.
    const longer = { wave: { ...wave, periodS: 8 } };
    const { summary, failed } = await drive(t, shop, longer);
    assert.deepEqual(failed, []);
    assert.equal(summary.created + summary.refused, summary.offered);
    assert.ok(summary.ok);
  });

  it('sends on while nobody answers, and reckons latency from when each was due', async (t) => {
    const shop = { mode: 'queue', limitRps: 0, drainRps: 1000, answerMs: 4500 } as const;
    const { summary } = await drive(t, shop);
    assert.equal(summary.created, expected);
    assert.ok(summary.latencyMs.p50 >= 4500);
  });

  it('catches a shop that admits more than its limit', async (t) => {
    const shop = { mode: 'direct', limitRps: 150, drainRps: 0 } as const;
    const { failed } = await drive(t, shop, { limitRps: 100 });
    assert.ok(failed.some((text) => text.startsWith('most 200s in a second')));
    assert.ok(failed.some((text) => text.startsWith('share of 500s')));
  });

  it('catches a shop that loses orders', async (t) => {
    const shop = { mode: 'direct', limitRps: 1000, drainRps: 0, fault: 'loses-orders' } as const;
    const { failed } = await drive(t, shop, { settleS: 0.5 });
    assert.ok(failed.some((text) => text.startsWith('orders processed')));
  });

  it('catches a drain that outruns its pace', async (t) => {
    const shop = { mode: 'queue', limitRps: 0, drainRps: 1000 } as const;
    const { failed } = await drive(t, shop, { drainRps: 60 });
    assert.ok(failed.some((text) => text.startsWith('most processed in a second')));
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
    await assert.rejects(
      runWave(
        { ...nowhere, mode: 'queue', wave, limitRps: 0, drainRps: 0, settleS: 0 },
        process.stdout,
      ),
      (fault: Error) => fault instanceof OperatorFault && /--admin-url none/.test(fault.message),
    );
  });
});
