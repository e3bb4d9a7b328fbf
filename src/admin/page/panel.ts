import { Chart, type ChartSpec } from './chart.js';
import { clock } from './format.js';
import { type Item, Legend, setText, type View } from './legend.js';
import type { Palette } from './palette.js';
import type { Columns } from './rows.js';

/** What a panel shows; its place on the page is the figure with this id. */
export interface PanelSpec {
  readonly id: string;
  readonly items: readonly Item[];
  readonly chart: ChartSpec;
  /** One column a line of the chart; epoch seconds first. */
  readonly columns: (view: View) => Columns;
  /** Why there is nothing to see; empty when there is. */
  readonly empty: (view: View) => string;
}

/** Time is moved by these keys, in seconds; Home and End go to the ends. */
const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -10,
  PageDown: 10,
};

/** A chart with its legend, its values in words, and what it says while there is nothing to show. */
export class Panel {
  readonly #spec: PanelSpec;
  readonly #chart: Chart;
  readonly #legend: Legend;
  readonly #host: HTMLElement;
  readonly #empty: HTMLElement;
  #shown: View | null = null;

  /** @param onCursor a time, epoch seconds, is pointed at, by pointer or by key; null: none is */
  constructor(spec: PanelSpec, palette: Palette, onCursor: (seconds: number | null) => void) {
    const figure = document.getElementById(spec.id)!;
    this.#spec = spec;
    this.#host = figure.querySelector<HTMLElement>('.chart')!;
    this.#empty = figure.querySelector<HTMLElement>('.empty')!;
    this.#legend = new Legend(figure.querySelector<HTMLElement>('.readout')!, spec.items);
    this.#chart = new Chart(this.#host, spec.chart, palette, onCursor);
    this.#host.onkeydown = (event) => this.#onKey(event, onCursor);
  }

  #onKey(event: KeyboardEvent, onCursor: (seconds: number | null) => void): void {
    const view = this.#shown;
    if (view === null) return;
    const first = view.rows[0].atMs / 1000;
    const last = view.rows.at(-1)!.atMs / 1000;
    const step = STEPS[event.key];
    if (event.key === 'Escape') onCursor(null);
    else if (event.key === 'Home') onCursor(first);
    else if (event.key === 'End') onCursor(last);
    else if (step === undefined) return;
    else onCursor(Math.min(last, Math.max(first, view.row.atMs / 1000 + step)));
    event.preventDefault();
  }

  /** Draws the rows anew. */
  draw(view: View, fromS: number, toS: number): void {
    this.#chart.set(this.#spec.columns(view), fromS, toS);
    this.read(view);
  }

  /** Changes the words only. */
  read(view: View): void {
    this.#shown = view;
    this.#legend.update(view);
    setText(this.#empty, this.#spec.empty(view));
    // Where the focus is, a new text would be read out each second, unasked.
    if (view.isNewest && this.#host === document.activeElement) return;
    this.#describe(view);
  }

  /** To who can't see it, a chart is a slider over time whose value is what stands beside it. */
  #describe({ row, rows, isNewest }: View): void {
    const newestMs = rows.at(-1)!.atMs;
    const seconds = (atMs: number) => String(Math.round((atMs - newestMs) / 1000));
    this.#host.setAttribute('aria-valuemin', seconds(rows[0].atMs));
    this.#host.setAttribute('aria-valuenow', seconds(row.atMs));
    const when = isNewest ? 'now' : `at ${clock(row.atMs)}`;
    this.#host.setAttribute('aria-valuetext', `${when}: ${this.#legend.text()}`);
  }

  /** Leaves its place on the page to another. */
  close(): void {
    this.#chart.close();
  }

  point(seconds: number | null): void {
    this.#chart.point(seconds);
  }
}
