import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HANG_MS_MAX } from '../support/deadline.js';
import { type ShownPanel, shownPanels, shownVariables } from './dashboard-file.js';
import type { Sample } from './prometheus-api.js';
import { recordings } from './rule-files.js';
import { WatchedShop } from './watched-shop.js';

/** Fewer than are processed, so that the backlog shrinks. */
const PAUSE_MS = 1000;

/** Panels that must have counted something, not only exist. */
const MUST_RISE = ['Diff By Status', 'Work Done by status', 'Retries and dead letters'];

interface Asked {
  readonly what: string;
  readonly expr: string;
  /** Whether the samples are as expected. */
  readonly shows: (samples: readonly Sample[]) => boolean;
}

/** The query as Grafana sends it, with its variables replaced. */
function filledIn(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '5s')
    .replaceAll('$instance', '.+')
    .replaceAll('$stream', 'FOREBAY');
}

function ofPanel({ title, type, targets }: ShownPanel): Asked[] {
  const isPositive = ({ value }: Sample) => value > 0;
  const mustRise = type === 'heatmap' || MUST_RISE.includes(title);
  return targets.map(({ expr, legendFormat }) => ({
    what: `${title}: ${legendFormat}`,
    expr: filledIn(expr),
    shows:
      mustRise && legendFormat !== 'put off'
        ? (samples) => samples.some(isPositive)
        : (samples) => samples.some(({ value }) => !Number.isNaN(value)),
  }));
}

/** One of each kind of request. */
async function trade(shop: WatchedShop): Promise<void> {
  await shop.orders.post('ada');
  await shop.directOrders.postAll(Array.from({ length: 15 }, (_, i) => `direct-${i}`));
  await shop.postInvalid();
  assert.equal(await shop.secured.post(), 200);
}

describe('Forebay’s dashboard, with a real Prometheus', () => {
  it('shows data in every panel', async (t) => {
    const shop = await WatchedShop.start(t);
    await shop.orders.postAll(Array.from({ length: 100 }, (_, i) => `peak-${i}`));
    let missing: readonly Asked[] = [
      ...shownPanels().flatMap(ofPanel),
      ...recordings.map(({ record }) => ({
        what: record,
        expr: record,
        shows: (samples: readonly Sample[]) => samples.length > 0,
      })),
    ];
    assert.ok(missing.length > 60, `${missing.length} queries`);
    const deadlineMs = performance.now() + HANG_MS_MAX;
    while (missing.length > 0 && performance.now() < deadlineMs) {
      await trade(shop);
      const seen = await Promise.all(missing.map(({ expr }) => shop.prometheus.query(expr)));
      missing = missing.filter(({ shows }, i) => !shows(seen[i]!));
      await sleep(PAUSE_MS);
    }
    assert.deepEqual(
      missing.map(({ what, expr }) => `${what}: ${expr}`),
      [],
    );
    await t.test('each status has its own series', async () => {
      const { expr } = shownPanels().find(({ title }) => title === 'Diff By Status')!.targets[0]!;
      const statuses = (await shop.prometheus.query(filledIn(expr)))
        .filter(({ value }) => value > 0)
        .map(({ metric }) => metric.status);
      assert.deepEqual(statuses.sort(), ['200', '400', '500']);
    });
    await t.test('the variable lists the instances', async () => {
      const { query } = shownVariables().find(({ name }) => name === 'instance')!;
      const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(
        (query as { query: string }).query,
      )!;
      const instances = await shop.prometheus.labelValues(label!, metric!);
      assert.deepEqual(
        instances.sort(),
        [
          shop.stack.address('forebay:3001'),
          new URL(shop.direct.adminUrl).host,
          new URL(shop.spoolless.adminUrl).host,
          new URL(shop.secured.adminUrl).host,
        ].sort(),
      );
    });
    await t.test('every rule was evaluated without an error', async () => {
      const unwell = (await shop.prometheus.rules()).filter(({ health }) => health !== 'ok');
      assert.deepEqual(unwell, []);
    });
  });
});
