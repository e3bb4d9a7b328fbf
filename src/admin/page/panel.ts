import { Chart, type ChartSpec } from './chart.js';
import { clock } from './format.js';
import { type Item, Legend, setText, type View } from './legend.js';
import type { Palette } from './palette.js';
import type { Columns } from './rows.js';

/** The contents of a panel. `id` is the id of its figure on the page. */
export interface PanelSpec {
  readonly id: string;
  readonly items: readonly Item[];
  readonly chart: ChartSpec;
  /** Epoch seconds, then one column per line of the chart. */
  readonly columns: (view: View) => Columns;
  /** Why the chart is empty; an empty text if it is not. */
  readonly empty: (view: View) => string;
}

/** Keys that move the cursor, in seconds. Home and End move it to the ends. */
const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -10,
  PageDown: 10,
};

/** A chart with its legend, its values as text, and a message while it is empty. */
export class Panel {
  readonly #spec: PanelSpec;
  readonly #chart: Chart;
  readonly #legend: Legend;
  readonly #host: HTMLElement;
  readonly #empty: HTMLElement;
  #shown: View | null = null;

  /** @param onCursor called with the selected time, epoch seconds, by pointer or key; null for none */
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

  /** Draws the rows. */
  draw(view: View, fromS: number, toS: number): void {
    this.#chart.set(this.#spec.columns(view), fromS, toS);
    this.updateTexts(view);
  }

  /** Updates only the texts. */
  updateTexts(view: View): void {
    this.#shown = view;
    this.#legend.update(view);
    setText(this.#empty, this.#spec.empty(view));
    // While the chart has the focus, a screen reader would read a new text every second.
    if (view.isNewest && this.#host === document.activeElement) return;
    this.#describe(view);
  }

  /** For screen readers, a chart is a slider over time whose value is the legend's text. */
  #describe({ row, rows, isNewest }: View): void {
    const newestMs = rows.at(-1)!.atMs;
    const seconds = (atMs: number) => String(Math.round((atMs - newestMs) / 1000));
    this.#host.setAttribute('aria-valuemin', seconds(rows[0].atMs));
    this.#host.setAttribute('aria-valuenow', seconds(row.atMs));
    const when = isNewest ? 'now' : `at ${clock(row.atMs)}`;
    this.#host.setAttribute('aria-valuetext', `${when}: ${this.#legend.text()}`);
  }

  /** Removes the chart, so that another panel can use its place. */
  close(): void {
    this.#chart.close();
  }

  setCursor(seconds: number | null): void {
    this.#chart.setCursor(seconds);
  }
}
