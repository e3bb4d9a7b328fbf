import type { LiveFacts, LiveRow } from '../../model/live.js';
import { count, duration, orDash } from './format.js';
import { type Item, setText, type View } from './legend.js';
import type { Palette } from './palette.js';
import type { PanelSpec } from './panel.js';
import { bucketsOf, type HistogramName, quantile, total } from './statistics.js';
import type uPlot from './uplot.js';

type Timed = Exclude<HistogramName, 'frameOrders'>;

/** Every third bound has a label, so that labels do not overlap. */
const LABEL_EVERY = 3;

/** A heatmap of time × latency × count. The panel's radio buttons select which latency. */
export function latencyPanel({ build, bounds }: LiveFacts, palette: Palette): PanelSpec {
  offerChoices(build.mode === 'direct' ? ['commitSeconds'] : []);
  const chosen = (): Timed =>
    document.querySelector<HTMLInputElement>('input[name=latency]:checked')!.value as Timed;
  const scale = new HeatScale(document.querySelector<HTMLElement>('#heat-scale')!, palette);
  const heatmap = new Heatmap(palette, scale, 'requestSeconds');
  /** Of this process in the time shown, like the totals of the other panels; or of the second under the cursor. */
  const buckets = ({ facts, rows, row, isNewest }: View) =>
    bucketsOf(isNewest ? rows.filter(({ atMs }) => atMs > facts.countedFromMs) : [row], chosen());
  const quantileItem = (label: string, q: number): Item => ({
    label,
    value: (view) => orDash(quantile(q, bounds[chosen()], buckets(view)), duration),
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
        top: () => bounds[chosen()].length + 1,
        labels: () => labelsOf(bounds[chosen()]),
        draw: (plot) => heatmap.draw(plot),
      },
    },
    columns: ({ rows }) => {
      heatmap.set(rows, chosen());
      return [rows.map(({ atMs }) => atMs / 1000), rows.map(() => null)];
    },
    empty: (view) => (total(bucketsOf(view.rows, chosen())) === 0 ? 'No data in this time.' : ''),
  };
}

/** Hides the latencies that this mode does not have. */
function offerChoices(hidden: readonly Timed[]): void {
  const all = [...document.querySelectorAll<HTMLInputElement>('input[name=latency]')];
  for (const input of all) {
    input.closest('label')!.hidden = hidden.includes(input.value as Timed);
    if (hidden.includes(input.value as Timed) && input.checked) all[0].checked = true;
  }
}

/** The label of a bucket's upper bound is at the upper edge of its row. */
function labelsOf(bounds: readonly number[]): Map<number, string> {
  const labels = bounds.map((bound, i): [number, string] => [i + 1, duration(bound)]);
  return new Map(labels.filter((_, i) => i % LABEL_EVERY === 0));
}

/** Minimum width of a column, so that its color is visible. */
const COLUMN_PX_MIN = 3;
/** Possible durations of a column. They divide the minute, so that columns do not shift. */
const COLUMN_SECONDS = [1, 2, 3, 5, 10, 15, 30, 60] as const;

/**
 * The share of the color scale for a count: logarithmic, so that one slow request among thousands is visible.
 *
 * @param most the largest count
 */
function heatShare(counted: number, most: number): number {
  return Math.log1p(counted) / Math.log1p(most);
}

/** Says which count each color stands for: 1 at the left, the largest at the right. */
class HeatScale {
  readonly #place: HTMLElement;
  readonly #palette: Palette;

  constructor(place: HTMLElement, palette: Palette) {
    this.#place = place;
    this.#palette = palette;
  }

  /** @param spanS seconds of a column of the heatmap */
  draw(most: number, spanS: number): void {
    const part = (selector: string) => this.#place.querySelector<HTMLElement>(selector)!;
    this.#place.hidden = most === 0;
    setText(part('.most'), most > 1 ? count(most) : '');
    setText(part('.per'), spanS === 1 ? 'a second' : `in ${duration(spanS)}`);
    const strip = part('canvas') as HTMLCanvasElement;
    const context = strip.getContext('2d')!;
    for (let x = 0; x < strip.width; x++) {
      const counted = most ** (x / (strip.width - 1));
      context.fillStyle = this.#palette.heat(heatShare(counted, most));
      context.fillRect(x, 0, 1, strip.height);
    }
  }
}

/** Draws the bucket counts of a histogram over time, one column per interval. */
class Heatmap {
  readonly #palette: Palette;
  readonly #scale: HeatScale;
  #rows: readonly LiveRow[] = [];
  #name: HistogramName;

  constructor(palette: Palette, scale: HeatScale, name: HistogramName) {
    this.#palette = palette;
    this.#scale = scale;
    this.#name = name;
  }

  set(rows: readonly LiveRow[], name: HistogramName): void {
    this.#rows = rows;
    this.#name = name;
  }

  draw(plot: uPlot): void {
    const { min = 0, max = 0 } = plot.scales.x as { min?: number; max?: number };
    const { ctx, bbox } = plot;
    const spanS = columnSeconds(max - min, bbox.width / devicePixelRatio);
    const columns = this.#columns(spanS);
    const most = Math.max(0, ...[...columns.values()].flat());
    this.#scale.draw(most, spanS);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const [fromS, buckets] of columns) {
      const left = Math.round(plot.valToPos(fromS, 'x', true));
      const right = Math.round(plot.valToPos(fromS + spanS, 'x', true));
      for (let i = 0; i < buckets.length; i++) {
        if (buckets[i] === 0) continue;
        const bottom = Math.round(plot.valToPos(i, 'y', true));
        const top = Math.round(plot.valToPos(i + 1, 'y', true));
        ctx.fillStyle = this.#palette.heat(heatShare(buckets[i], most));
        ctx.fillRect(left, top, Math.max(1, right - left - 1), Math.max(1, bottom - top - 1));
      }
    }
    ctx.restore();
  }

  /** Buckets by the start of their column, epoch seconds. */
  #columns(spanS: number): Map<number, number[]> {
    const columns = new Map<number, number[]>();
    for (const row of this.#rows) {
      const fromS = Math.floor((row.atMs - row.spanMs / 2) / 1000 / spanS) * spanS;
      const column = columns.get(fromS);
      const counts = row[this.#name];
      if (column === undefined) columns.set(fromS, [...counts]);
      else for (let i = 0; i < counts.length; i++) column[i] += counts[i];
    }
    return columns;
  }
}

function columnSeconds(seconds: number, widthPx: number): number {
  const least = (seconds * COLUMN_PX_MIN) / Math.max(1, widthPx);
  return COLUMN_SECONDS.find((span) => span >= least) ?? 60;
}
