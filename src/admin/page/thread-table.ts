import type { LiveFacts, LiveRow } from '../../model/live.js';
import { duration } from './format.js';
import { element, nameSeries, setText, type View } from './legend.js';
import type { Palette } from './palette.js';

interface ThreadRow {
  readonly strip: HTMLCanvasElement;
  readonly load: HTMLElement;
  readonly lag: HTMLElement;
}

/** An event loop delay that clients notice. */
const LAG_MS_BAD = 250;

/** Each thread's share of a core, over time and now, and its longest event loop delay. */
export class ThreadTable {
  readonly #palette: Palette;
  readonly #rows: readonly ThreadRow[];

  constructor(body: HTMLElement, { threads }: LiveFacts, palette: Palette) {
    this.#palette = palette;
    this.#rows = threads.map((name) => {
      const strip = document.createElement('canvas');
      strip.setAttribute('aria-hidden', 'true');
      const load = element('td', 'number');
      nameSeries(load, `forebay_thread_cpu_ratio{thread="${name}"}`);
      const lag = element('td', 'number');
      // Pool threads run the handler, which may block: they report no delay.
      if (!name.startsWith('pool-')) {
        nameSeries(lag, `forebay_event_loop_lag_seconds{thread="${name}"}`);
      }
      const header = element('th', '', name);
      header.setAttribute('scope', 'row');
      const cell = element('td', 'strip');
      cell.append(strip);
      const row = element('tr', '');
      row.append(header, cell, load, lag);
      body.append(row);
      return { strip, load, lag };
    });
    body.style.setProperty('--threads', String(threads.length));
    const first = body.children.length - threads.length;
    for (const old of [...body.children].slice(0, first)) old.remove();
  }

  draw(view: View, fromS: number, toS: number): void {
    for (const [i, { strip }] of this.#rows.entries()) {
      this.#drawStrip(strip, view.rows, i, fromS, toS);
    }
    this.updateTexts(view);
  }

  updateTexts({ row }: View): void {
    this.#rows.forEach(({ load, lag }, i) => {
      const percent = row.cpuPercent[i] ?? null;
      const lagMs = row.lagMs[i] ?? null;
      setText(load, percent === null ? '–' : `${percent} %`);
      setText(lag, lagMs === null ? '–' : duration(lagMs / 1000));
      lag.classList.toggle('bad', lagMs !== null && lagMs >= LAG_MS_BAD);
    });
  }

  #drawStrip(
    strip: HTMLCanvasElement,
    rows: readonly LiveRow[],
    thread: number,
    fromS: number,
    toS: number,
  ): void {
    const { clientWidth, clientHeight } = strip;
    const width = Math.round(clientWidth * devicePixelRatio);
    const height = Math.round(clientHeight * devicePixelRatio);
    // Setting the size also clears the canvas.
    strip.width = width;
    strip.height = height;
    const context = strip.getContext('2d')!;
    context.fillStyle = this.#palette.of('load');
    const at = (seconds: number) => Math.round(((seconds - fromS) / (toS - fromS)) * width);
    for (const { atMs, spanMs, cpuPercent } of rows) {
      const percent = cpuPercent[thread] ?? 0;
      const left = at((atMs - spanMs) / 1000);
      const tall = Math.ceil((percent / 100) * height);
      context.fillRect(left, height - tall, Math.max(1, at(atMs / 1000) - left), tall);
    }
  }
}
