import type { LiveFacts, LiveNow, LiveRow } from '../../model/live.js';
import { clock } from './format.js';
import { latencyPanel } from './latency-panel.js';
import { setText, type View } from './legend.js';
import { Palette } from './palette.js';
import { Panel } from './panel.js';
import { answersPanel, backlogPanel, framesPanel, requestsPanel, workPanel } from './panels.js';
import { Ranges } from './ranges.js';
import type { Rows } from './rows.js';
import { ThreadTable } from './thread-table.js';
import { Tiles } from './tiles.js';

/** Everything that is drawn, for one server process. */
export class Page {
  readonly #facts: LiveFacts;
  readonly #palette = new Palette();
  readonly #tiles: Tiles;
  readonly #panels: readonly Panel[];
  readonly #threads: ThreadTable;
  readonly #ranges = new Ranges();
  readonly #when = document.querySelector<HTMLElement>('#when')!;
  /** The time of the cursor in all charts; epoch seconds. */
  #cursorS: number | null = null;
  #shown: View | null = null;
  #drawn: [LiveNow, Rows] | null = null;

  constructor(facts: LiveFacts) {
    this.#facts = facts;
    const onCursor = (seconds: number | null) => this.#moveCursor(seconds);
    this.#tiles = new Tiles(document.querySelector<HTMLElement>('#tiles')!, facts);
    document.body.dataset.mode = facts.build.mode;
    this.#panels = [
      answersPanel(facts),
      workPanel(),
      ...(facts.build.mode === 'direct' ? [] : [backlogPanel()]),
      latencyPanel(facts, this.#palette),
      requestsPanel(facts),
      framesPanel(facts),
    ].map((spec) => new Panel(spec, this.#palette, onCursor));
    const body = document.querySelector<HTMLElement>('#threads tbody')!;
    this.#threads = new ThreadTable(body, facts, this.#palette);
  }

  show(now: LiveNow, rows: Rows): void {
    this.#drawn = [now, rows];
    const spanS = this.#ranges.choose(rows.historyS);
    const latest = rows.latest(spanS);
    const newest = latest.at(-1);
    if (newest === undefined) return;
    const toS = newest.atMs / 1000;
    const fromS = toS - spanS;
    const view = this.#view(now, latest);
    this.#tiles.update(view);
    for (const panel of this.#panels) panel.draw(view, fromS, toS);
    this.#threads.draw(view, fromS, toS);
    for (const panel of this.#panels) panel.setCursor(this.#cursorS);
    this.#showTime(view);
  }

  /** Removes the charts, so that the page of another process can use their place. */
  close(): void {
    for (const panel of this.#panels) panel.close();
  }

  /** Called when the theme has changed. */
  recolor(): void {
    this.#palette.refresh();
    if (this.#drawn !== null) this.show(...this.#drawn);
  }

  #moveCursor(seconds: number | null): void {
    if (this.#shown === null || seconds === this.#cursorS) return;
    this.#cursorS = seconds;
    const view = this.#view(this.#shown.now, this.#shown.rows);
    for (const panel of this.#panels) {
      panel.setCursor(seconds);
      panel.updateTexts(view);
    }
    this.#threads.updateTexts(view);
    this.#showTime(view);
  }

  #view(now: LiveNow, rows: readonly LiveRow[]): View {
    const newest = rows.at(-1)!;
    const row = this.#cursorS === null ? newest : nearest(rows, this.#cursorS * 1000);
    const view = { facts: this.#facts, now, rows, row, isNewest: this.#cursorS === null };
    this.#shown = view;
    return view;
  }

  #showTime({ row, isNewest }: View): void {
    setText(this.#when, isNewest ? '' : `Values at ${clock(row.atMs)}`);
  }
}

function nearest(rows: readonly LiveRow[], atMs: number): LiveRow {
  return rows.reduce((best, row) =>
    Math.abs(row.atMs - atMs) < Math.abs(best.atMs - atMs) ? row : best,
  );
}
