import { clock, short } from './format.js';
import type { Color, Palette } from './palette.js';
import type { Columns } from './rows.js';
import uPlot from './uplot.js';

export interface Line {
  readonly color: Color;
  /** Filled down to 0, opaque. Stacked lines are listed from top to bottom. */
  readonly filled?: boolean;
  readonly dashed?: boolean;
  /** Uses the right axis. */
  readonly right?: boolean;
}

export interface ChartSpec {
  readonly lines: readonly Line[];
  /** Formats of the axis labels. The right axis shows seconds and exists only with a format. */
  readonly left?: (value: number) => string;
  readonly right?: (value: number) => string;
  /** Minimum of the top of the left axis. */
  readonly topMin?: number;
  /** For charts with their own drawing: a fixed axis from 0 to `top` with these labels. */
  readonly drawn?: {
    readonly top: () => number;
    readonly labels: () => ReadonlyMap<number, string>;
    readonly draw: (plot: uPlot) => void;
  };
}

/** Steps of an axis of seconds that are also round in minutes and hours. */
const STEPS_S: number[] = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900,
  1800, 3600, 7200, 14_400, 43_200, 86_400, 172_800, 604_800,
];
/** CSS pixels. */
const LINE_WIDTH = 1.75;
const FONT = 'ui-sans-serif, system-ui, sans-serif';

/** One uPlot that fills its host element and follows its size, the theme and the text size. */
export class Chart {
  readonly #host: HTMLElement;
  readonly #spec: ChartSpec;
  readonly #palette: Palette;
  readonly #onCursor: (seconds: number | null) => void;
  readonly #observer: ResizeObserver;
  #plot: uPlot;
  #textPx = 0;
  #columns: Columns;
  #span: readonly [number, number] = [0, 60];
  #cursorS: number | null = null;

  /** @param onCursor called with the time under the pointer, epoch seconds, or null */
  constructor(
    host: HTMLElement,
    spec: ChartSpec,
    palette: Palette,
    onCursor: (seconds: number | null) => void,
  ) {
    this.#host = host;
    this.#spec = spec;
    this.#palette = palette;
    this.#onCursor = onCursor;
    this.#columns = [[], ...spec.lines.map(() => [])];
    this.#plot = this.#build();
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(host);
  }

  /** @param columns epoch seconds, then one column per line */
  set(columns: Columns, fromS: number, toS: number): void {
    this.#columns = columns;
    this.#span = [fromS, toS];
    this.#plot.setData(columns as uPlot.AlignedData, true);
  }

  /** Shows the cursor at a time without calling `onCursor`. */
  setCursor(seconds: number | null): void {
    this.#cursorS = seconds;
    this.#placeCursor(this.#plot);
  }

  /** Called at each drawing, because the selected time stays while its position moves with the scale. */
  #placeCursor(plot: uPlot): void {
    const seconds = this.#cursorS;
    const [from, to] = this.#span;
    const outside = seconds === null || seconds < from || seconds > to;
    const left = outside ? -10 : plot.valToPos(seconds, 'x');
    plot.setCursor({ left, top: outside ? -10 : 0 }, false);
  }

  /** Reports the pointer's time. uPlot's own hook also runs after each drawing, without a move of the pointer. */
  #reporting(plot: uPlot, handle: uPlot.Cursor.MouseListener | null) {
    return (event: MouseEvent): null => {
      handle?.(event);
      const { left = -1 } = plot.cursor;
      this.#onCursor(left < 0 ? null : plot.posToVal(left, 'x'));
      return null;
    };
  }

  /** Removes the chart, so that another can use its host element. */
  close(): void {
    this.#observer.disconnect();
    this.#plot.destroy();
  }

  #resize(): void {
    if (rootTextPx() !== this.#textPx) {
      this.#plot.destroy();
      this.#plot = this.#build();
      return;
    }
    this.#plot.setSize(sizeOf(this.#host));
  }

  #build(): uPlot {
    this.#textPx = rootTextPx();
    const { lines, drawn } = this.#spec;
    const series = lines.map((line) => this.#series(line));
    return new uPlot(
      {
        ...sizeOf(this.#host),
        series: [{}, ...series],
        scales: this.#scales(),
        axes: this.#axes(),
        legend: { show: false },
        padding: [this.#textPx * 0.5, this.#spec.right ? 0 : this.#textPx * 0.75, 0, 0],
        cursor: {
          y: false,
          drag: { x: false, y: false },
          points: { show: drawn === undefined, size: 6 },
          bind: {
            mousemove: (plot, _, handle) => this.#reporting(plot, handle),
            mouseleave: (plot, _, handle) => this.#reporting(plot, handle),
          },
        },
        hooks: {
          draw: [(plot) => drawn?.draw(plot), (plot) => this.#placeCursor(plot)],
        },
      },
      this.#columns as uPlot.AlignedData,
      this.#host,
    );
  }

  #series({ color, filled = false, dashed = false, right = false }: Line): uPlot.Series {
    const stroke = () => this.#palette.of(color);
    return {
      scale: right ? 'right' : 'y',
      stroke,
      width: filled ? 0 : LINE_WIDTH,
      points: { show: false },
      ...(this.#spec.drawn === undefined ? {} : { paths: () => null }),
      ...(filled ? { fill: stroke } : {}),
      ...(dashed ? { dash: [6, 4] } : {}),
    };
  }

  #scales(): uPlot.Scales {
    const { drawn, topMin = 1 } = this.#spec;
    const fromZero = (_: uPlot, __: number, max: number | null): [number, number] => [
      0,
      uPlot.rangeNum(0, Math.max(topMin, max ?? 0), 0.08, true)[1]!,
    ];
    return {
      x: { time: true, range: () => [this.#span[0], this.#span[1]] },
      y: { range: drawn === undefined ? fromZero : () => [0, drawn.top()] },
      right: { range: fromZero },
    };
  }

  /** Empty if the edge would cut the label off. */
  #timeLabel(seconds: number | null, step: number): string {
    if (seconds === null) return '';
    const [from, to] = this.#span;
    const px = ((to - seconds) / (to - from)) * this.#host.clientWidth;
    const isCut = this.#spec.right === undefined && px < this.#textPx;
    return isCut ? '' : clock(seconds * 1000, step < 60);
  }

  #axes(): uPlot.Axis[] {
    const { left = short, right, drawn } = this.#spec;
    const px = this.#textPx;
    const style: uPlot.Axis = {
      stroke: () => this.#palette.of('axis'),
      font: `${Math.round(px * 0.75)}px ${FONT}`,
      grid: { stroke: () => this.#palette.of('grid'), width: 1 },
      ticks: { show: false },
      gap: px * 0.3,
    };
    const vertical = (format: (value: number) => string): uPlot.Axis => ({
      ...style,
      size: px * 3.1,
      space: px * 2.6,
      values: (_, splits) => splits.map(format),
    });
    const axes: uPlot.Axis[] = [
      {
        ...style,
        size: px * 1.6,
        // Labels with minutes only are shorter than labels with seconds.
        space: () => px * (this.#span[1] - this.#span[0] > 300 ? 3.2 : 4.5),
        // uPlot makes one label beyond the end.
        filter: (_, splits) => splits.map((s) => (s > this.#span[1] ? null : s)),
        values: (_, splits, __, ___, step) => splits.map((s) => this.#timeLabel(s, step)),
      },
      drawn === undefined
        ? vertical(left)
        : {
            ...vertical((value) => drawn.labels().get(value) ?? ''),
            splits: () => [...drawn.labels().keys()],
          },
    ];
    if (right !== undefined) {
      const side = { scale: 'right', side: 1, incrs: STEPS_S, grid: { show: false } } as const;
      axes.push({ ...vertical(right), ...side });
    }
    return axes;
  }
}

function rootTextPx(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
}

function sizeOf(host: HTMLElement): { width: number; height: number } {
  return { width: Math.max(80, host.clientWidth), height: Math.max(60, host.clientHeight) };
}
