import { escaped } from './text.js';

/** The values at the corners of a plot; both modes have the same. */
export interface Frame {
  readonly xMin: number;
  readonly xMax: number;
  readonly yMax: number;
}

export interface LegendItem {
  /** A class of the style sheet. */
  readonly look: string;
  readonly text: string;
}

/** A point of an axis that is labelled, 0 to 1 along it. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

export interface Plot {
  readonly title: string;
  readonly legend: readonly LegendItem[];
  /** What the plot shows, with figures, for screen readers. */
  readonly alt: string;
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
  /** SVG in a box of WIDTH and HEIGHT. */
  readonly layers: readonly string[];
  /** HTML over the plot. */
  readonly notes?: readonly string[];
}

/** The box is stretched to the space there is; strokes and text are not. */
const WIDTH = 1000;
const HEIGHT = 400;
/** Beyond this share of the width, text is put to the left of its line. */
const TURN_AT = 0.6;

/**
 * A figure whose labels are HTML, so that they have the size of text at every width of the page.
 */
export function figure({ title, legend, alt, xTicks, yTicks, layers, notes = [] }: Plot): string {
  const grid = yTicks.map(
    ({ at }) => `<path class="grid" d="M0 ${fix(HEIGHT * (1 - at))}h${WIDTH}"/>`,
  );
  const keys = legend.map(({ look, text }) => `<li class="${look}"><i></i>${escaped(text)}</li>`);
  return `<figure>
<figcaption><h3>${escaped(title)}</h3><ul class="legend">${keys.join('')}</ul></figcaption>
<div class="plot">
<div class="y-axis" aria-hidden="true">${yTicks.map(({ at, text }) => `<span style="bottom:${fix(at * 100)}%">${text}</span>`).join('')}</div>
<div class="canvas"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${escaped(alt)}">
${[...grid, ...layers].join('\n')}
</svg>${notes.join('')}</div>
<div class="x-axis" aria-hidden="true">${xTicks.map(({ at, text }) => `<span style="left:${fix(at * 100)}%">${text}</span>`).join('')}</div>
</div>
</figure>`;
}

/** Places in the box of a plot. */
export class Scale {
  readonly #frame: Frame;

  constructor(frame: Frame) {
    this.#frame = frame;
  }

  x(value: number): number {
    const { xMin, xMax } = this.#frame;
    return (WIDTH * (Math.min(xMax, Math.max(xMin, value)) - xMin)) / (xMax - xMin);
  }

  y(value: number): number {
    return HEIGHT * (1 - Math.min(value, this.#frame.yMax) / this.#frame.yMax);
  }

  /** The area between two heights that hold from one x to the next. */
  area(look: string, bands: readonly Band[]): string {
    const tops = bands.map(
      (b) => `${fix(this.x(b.from))} ${fix(this.y(b.top))}H${fix(this.x(b.to))}`,
    );
    const bottoms = bands
      .toReversed()
      .map((b) => `${fix(this.x(b.to))} ${fix(this.y(b.bottom))}H${fix(this.x(b.from))}`);
    if (bands.length === 0) return '';
    return `<path class="${look}" d="M${tops.join('L')}L${bottoms.join('L')}Z"/>`;
  }

  line(look: string, points: readonly (readonly [number, number])[]): string {
    const at = points.map(([x, y]) => `${fix(this.x(x))} ${fix(this.y(y))}`);
    return `<path class="${look}" d="M${at.join('L')}"/>`;
  }

  /** Text that shows when the pointer rests on a range of x. */
  hint(from: number, to: number, text: string): string {
    const [left, right] = [this.x(from), this.x(to)];
    return `<rect class="hint" x="${fix(left)}" width="${fix(right - left)}" height="${HEIGHT}"><title>${escaped(text)}</title></rect>`;
  }

  /** Text in the plot, centred on a point. */
  note(x: number, y: number, text: string): string {
    return this.#text('note', x, y, text);
  }

  /** Text beside a line, on the side where there is room. */
  beside(x: number, y: number, text: string): string {
    const side = this.x(x) > WIDTH * TURN_AT ? 'left' : 'right';
    return this.#text(`note ${side}`, x, y, text);
  }

  #text(look: string, x: number, y: number, text: string): string {
    const [left, top] = [this.x(x) / WIDTH, this.y(y) / HEIGHT];
    return `<span class="${look}" style="left:${fix(left * 100)}%;top:${fix(top * 100)}%">${escaped(text)}</span>`;
  }
}

export interface Band {
  readonly from: number;
  readonly to: number;
  readonly bottom: number;
  readonly top: number;
}

/** Round values from 0 to about `most`, at most six of them. */
export function ticksTo(most: number): number[] {
  const raw = most / 5;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * size).find((candidate) => candidate >= raw)!;
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
}

function fix(value: number): string {
  return String(Math.round(value * 100) / 100);
}
