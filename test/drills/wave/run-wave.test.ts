import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { runWave } from '../../../drills/wave/command.js';
import type { WaveOptions } from '../../../drills/wave/options.js';
import { expectedArrivals } from '../../../k6/lib/sine.js';
import { OperatorFault } from '../../../src/model/fault.js';
import { FakeServer, type FakeServerOptions } from './fake-server.js';

const ORDERS = { path: '/orders', body: '', bodyFile: '', adminToken: null };
/** 60 requests: few, so that a machine that computes little answers each within the client's bound. */
const wave = { minRps: 0, maxRps: 60, periodS: 2, periods: 1 };
const expected = Math.round(expectedArrivals(wave));

async function drive(
  t: TestContext,
  serverOptions: FakeServerOptions,
  waveOptions: Partial<WaveOptions> = {},
) {
  const server = await FakeServer.open(serverOptions);
  t.after(() => server.close());
  const { mode, rpsLimit, drainRate } = serverOptions;
  const target = { url: server.url, adminUrl: server.url, ...ORDERS };
  const options = { ...target, mode, wave, rpsLimit, drainRate, settleS: 30, ...waveOptions };
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

describe('the built-in generator', { concurrency: 2 }, () => {
  it('passes a server that does what it should in queue mode', async (t) => {
    const server = { mode: 'queue', rpsLimit: 0, drainRate: 40 } as const;
    const { summary, failed, printed } = await drive(t, server);
    assert.deepEqual(failed, []);
    assert.equal(summary.offered, expected);
    assert.equal(summary.created, expected);
    assert.match(printed, /1 s {2}sine/);
    assert.doesNotMatch(printed, /other answer/);
  });

  it('passes a server that does what it should in direct mode', async (t) => {
    // Far below the rate, so that a busy machine, which sends late, is refused some too.
    const server = { mode: 'direct', rpsLimit: 10, drainRate: 0 } as const;
    const { summary, failed } = await drive(t, server);
    assert.equal(summary.created + summary.refused, expected);
    assert.ok(summary.refused > 0);
    assert.deepEqual(failed, []);
  });

  it('sends while answers are missing, and counts latency from when each request was due', async (t) => {
    const server = { mode: 'queue', rpsLimit: 0, drainRate: 1000, answerMs: 2500 } as const;
    const { summary } = await drive(t, server);
    assert.equal(summary.created, expected);
    assert.ok(summary.latencyMs.p50 >= 2500);
  });

  it('finds a server that admits more than its limit', async (t) => {
    const server = { mode: 'direct', rpsLimit: 150, drainRate: 0 } as const;
    // So few that a machine which sends them over many seconds exceeds it too.
    const { failed } = await drive(t, server, { rpsLimit: 2 });
    assert.ok(failed.some((text) => text.startsWith('peak admission rate')));
  });

  it('finds a server that loses orders', async (t) => {
    const server = { mode: 'direct', rpsLimit: 1000, drainRate: 0, fault: 'loses-orders' } as const;
    const { failed } = await drive(t, server, { settleS: 0.5 });
    assert.ok(failed.some((text) => text.startsWith('orders processed')));
  });

  for (const fault of ['odd-body', 'odd-id'] as const) {
    it(`counts a 200 with an ${fault} as wrong`, async (t) => {
      const server = { mode: 'queue', rpsLimit: 0, drainRate: 1000, fault } as const;
      const { summary, printed } = await drive(t, server);
      assert.equal(summary.other, expected);
      assert.match(printed, /\nfirst other answer: 200 .+\n/);
      assert.equal(summary.ok, false);
    });
  }

  it('says in one line that the metrics cannot be read', async () => {
    const nowhere = { url: 'http://127.0.0.1:1', adminUrl: 'http://127.0.0.1:1', ...ORDERS };
    const options = { mode: 'queue', wave, rpsLimit: 0, drainRate: 0, settleS: 0 } as const;
    await assert.rejects(
      runWave({ ...nowhere, ...options }, process.stdout),
      (fault: Error) => fault instanceof OperatorFault && /--admin-url none/.test(fault.message),
    );
  });
});
