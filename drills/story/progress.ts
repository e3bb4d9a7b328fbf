import type { Reading } from '../wave/server-watch.js';

export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR_CHARS = 24;
const COLUMNS_FALLBACK = 80;
/** Into a file or a pipe, a line now and then is enough. */
const PLAIN_EVERY_MS = 5_000;
const ERASE_LINE = '\r\x1b[2K';

/** Shows how far the story is: one line that changes on a terminal, else a line every few seconds. */
export class Progress {
  readonly #out: Terminal;
  readonly #totalS: number;
  readonly #nowMs: () => number;
  #part = '';
  /** Seconds of the whole before this part. */
  #beforeS = 0;
  #partS = 0;
  #begunMs = 0;
  #plainMs = Number.NEGATIVE_INFINITY;

  constructor(out: Terminal, totalS: number, nowMs: () => number = () => performance.now()) {
    this.#out = out;
    this.#totalS = totalS;
    this.#nowMs = nowMs;
  }

  /** @param lastsS how long it should take */
  begin(part: string, lastsS: number): void {
    this.#beforeS += this.#partS;
    this.#part = part;
    this.#partS = lastsS;
    this.#begunMs = this.#nowMs();
    this.#plainMs = Number.NEGATIVE_INFINITY;
  }

  show({ created, refused, done, pendingOrders }: Reading): void {
    const elapsedS = (this.#nowMs() - this.#begunMs) / 1000;
    const share = Math.min(1, (this.#beforeS + Math.min(elapsedS, this.#partS)) / this.#totalS);
    const figures = [
      `${this.#part} ${Math.round(elapsedS)} s`,
      `200: ${created}`,
      `500: ${refused}`,
      `done: ${done}`,
      `pending: ${pendingOrders}`,
    ];
    const percent = `${String(Math.round(share * 100)).padStart(3)} %`;
    if (this.#out.isTTY) this.#redraw(`${bar(share)} ${percent}  ${figures.join('  ')}`);
    else this.#line(`${percent}  ${figures.join('  ')}`);
  }

  /** Removes the line, so that the next output replaces it. */
  end(): void {
    if (this.#out.isTTY) this.#out.write(ERASE_LINE);
  }

  #redraw(line: string): void {
    const columns = this.#out.columns ?? COLUMNS_FALLBACK;
    this.#out.write(`${ERASE_LINE}${line.slice(0, columns - 1)}`);
  }

  #line(line: string): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#plainMs < PLAIN_EVERY_MS) return;
    this.#plainMs = nowMs;
    this.#out.write(`${line}\n`);
  }
}

function bar(share: number): string {
  const full = Math.round(share * BAR_CHARS);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_CHARS - full)}`;
}
