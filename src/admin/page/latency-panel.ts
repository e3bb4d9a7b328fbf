import type { LiveFacts } from '../../model/live.js';
import { bucketsOf, type HistogramName, quantile, total } from './figures.js';
import { count, duration } from './format.js';
import { Heatmap } from './heatmap.js';
import type { Palette } from './palette.js';
import type { PanelSpec } from './panel.js';
import { orNone } from './panels.js';
import type { Item, View } from './readout.js';

type Timed = Extract<HistogramName, 'requestSeconds' | 'orderAgeSeconds'>;

/** Labels at powers of ten, and at what comes next to them, so that no two meet. */
const LABEL_EVERY = 3;

/** Time × latency × count; which latency is chosen by the panel's radio buttons. */
export function latencyPanel({ bounds }: LiveFacts, palette: Palette): PanelSpec {
  const chosen = (): Timed =>
    document.querySelector<HTMLInputElement>('input[name=latency]:checked')!.value as Timed;
  const heatmap = new Heatmap(palette, 'requestSeconds');
  /** Of the whole span, or of the second that is pointed at. */
  const buckets = ({ rows, row, isNewest }: View) => bucketsOf(isNewest ? rows : [row], chosen());
  const quantileItem = (label: string, q: number): Item => ({
    label,
    value: (view) => orNone(quantile(q, bounds[chosen()], buckets(view)), duration),
  });
  return {
    id: 'latency',
    items: [
      quantileItem('p50', 0.5),
      quantileItem('p90', 0.9),
      quantileItem('p99', 0.99),
      { label: 'counted', value: (view) => count(total(buckets(view))) },
    ],
    chart: {
      lines: [{ color: 'load' }],
      drawn: {
        top: bounds.requestSeconds.length + 1,
        labels: () => labelsOf(bounds[chosen()]),
        draw: (plot) => heatmap.draw(plot),
      },
    },
    columns: ({ rows }) => {
      heatmap.set(rows, chosen());
      return [rows.map(({ atMs }) => atMs / 1000), rows.map(() => null)];
    },
    empty: (view) => (total(bucketsOf(view.rows, chosen())) === 0 ? 'Nothing in this time.' : ''),
  };
}

/** A bucket's upper bound stands at the upper edge of its row. */
function labelsOf(bounds: readonly number[]): Map<number, string> {
  const labels = bounds.map((bound, i): [number, string] => [i + 1, duration(bound)]);
  return new Map(labels.filter((_, i) => i % LABEL_EVERY === 0));
}
