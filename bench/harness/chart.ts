import { batchesOf, type ClassRow, classesOf, perCore, title } from './classes.js';
import type { Report } from './report.js';
import type { Row } from './rows.js';
import { fixed, whole } from './text.js';

const WIDTH = 960;
const MARGIN = 20;
const LABEL_RIGHT = 305;
const PLOT_LEFT = 320;
const PLOT_RIGHT = 610;
/** Right edges of the columns of figures. */
const COLUMNS_LEFT = 625;
const COLUMN_WIDTH = 79;
const ROW_HEIGHT = 24;
const GROUP_HEIGHT = 36;
const HEAD_HEIGHT = 108;
/** Radius of the dot of the smallest batch, and how much each further one is larger. */
const DOT = 2.5;
const DOT_MORE = 1.25;

/** Draws its own background, so that it is readable on light and dark pages. */
const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .title { font-size: 16px; font-weight: 600 }
    .group { font-weight: 600 }
    .quiet { fill: #59636e }
    .ground { fill: #ffffff; stroke: #d1d9e0 }
    .grid { stroke: #d1d9e0; fill: none }
    .limit { fill: #8c959f; stroke: #8c959f }
    .forebay { fill: #0969da; stroke: #0969da }
    .other { fill: #bc4c00; stroke: #bc4c00 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .quiet { fill: #9198a1 }
      .ground { fill: #0d1117; stroke: #3d444d }
      .grid { stroke: #3d444d }
      .limit { fill: #656c76; stroke: #656c76 }
      .forebay { fill: #4493f8; stroke: #4493f8 }
      .other { fill: #db6d28; stroke: #db6d28 }
    }`;

interface Scale {
  readonly decades: readonly number[];
  x(ordersPerSecond: number): number;
}

/** An SVG: orders per second and core as dots on a logarithmic scale, a dot for each size of batch, and p99 as figures. */
export function chart(report: Report): string {
  const classes = classesOf(report).filter(({ servers }) => servers.length > 0);
  const scale = scaleOf(
    report,
    classes.flatMap(({ servers }) => servers),
  );
  const parts: string[] = [];
  let y = HEAD_HEIGHT;
  for (const { durability, servers } of classes) {
    parts.push(label('group', MARGIN, y + 24, title(durability)));
    y += GROUP_HEIGHT;
    for (const server of servers) {
      parts.push(serverRow(report, scale, server, y + ROW_HEIGHT / 2));
      y += ROW_HEIGHT;
    }
  }
  const height = y + MARGIN;
  const heading = `Orders per second and p99 of one core`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
  <title id="title">${escaped(alt(report, heading))}</title>
  <style>${STYLE}
  </style>
  <rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>
  ${label('title', MARGIN, 30, heading)}
  ${label('quiet', MARGIN, 52, `dots from small to large: ${batchesOf(report).join(', ')} orders in a request; medians, logarithmic scale`)}
  ${axis(scale, height)}
  ${columnHeads(report)}
  ${parts.join('\n  ')}
</svg>
`;
}

function scaleOf(report: Report, servers: readonly ClassRow[]): Scale {
  const all = servers.flatMap(({ rows }) =>
    rows.flatMap((row) => (row ? perCore(report, row) : [])),
  );
  const [from, to] = [Math.floor(Math.log10(Math.min(...all))), Math.log10(Math.max(...all) * 1.2)];
  return {
    decades: Array.from({ length: Math.floor(to) - from + 1 }, (_, i) => 10 ** (from + i)),
    x: (rate) => PLOT_LEFT + ((PLOT_RIGHT - PLOT_LEFT) * (Math.log10(rate) - from)) / (to - from),
  };
}

function axis({ decades, x }: Scale, height: number): string {
  return decades
    .map((rate) => {
      const at = fixed(x(rate), 1);
      return `<path class="grid" d="M${at} ${HEAD_HEIGHT - 4}V${height - MARGIN}"/>${right('quiet', x(rate) + 16, HEAD_HEIGHT - 12, whole(rate))}`;
    })
    .join('');
}

/** The figures beside the dots: one by one, and in the batches that are closest to 100. */
function shown(report: Report): number[] {
  const batches = batchesOf(report);
  const large = batches.indexOf(100);
  return large > 0 ? [0, large] : batches.length > 1 ? [0, batches.length - 1] : [0];
}

function columnRight(column: number): number {
  return COLUMNS_LEFT + COLUMN_WIDTH * (column + 1);
}

function columnHeads(report: Report): string {
  const batches = batchesOf(report);
  const places = shown(report);
  return ['orders/s', 'p99 ms']
    .flatMap((what, group) =>
      places.map((place, i) => {
        const at = columnRight(group * places.length + i);
        const of = batches[place] === 1 ? 'one by one' : `of ${batches[place]}`;
        return (
          right('quiet', at, HEAD_HEIGHT - 28, what) + right('quiet', at, HEAD_HEIGHT - 12, of)
        );
      }),
    )
    .join('');
}

function serverRow(report: Report, { x }: Scale, { entrant, rows }: ClassRow, y: number): string {
  const dots = rows.flatMap((row, i) =>
    row === undefined ? [] : { at: fixed(x(perCore(report, row)), 1), radius: DOT + DOT_MORE * i },
  );
  const line =
    dots.length > 1 ? `<path d="M${dots.map(({ at }) => `${at} ${y}`).join('L')}"/>` : '';
  const circles = dots.map(({ at, radius }) => `<circle cx="${at}" cy="${y}" r="${radius}"/>`);
  const places = shown(report);
  const figures = [(row: Row) => whole(perCore(report, row)), (row: Row) => fixed(row.p99Ms, 1)];
  const texts = figures.flatMap((figure, group) =>
    places.map((place, i) => {
      const row = rows[place];
      return right('', columnRight(group * places.length + i), y + 5, row ? figure(row) : '');
    }),
  );
  return [
    right('', LABEL_RIGHT, y + 5, entrant.name),
    `<g class="${entrant.kind}">${line}${circles.join('')}</g>`,
    ...texts,
  ].join('');
}

/** The text alternative: the rates of all servers. */
function alt(report: Report, heading: string): string {
  const batches = batchesOf(report);
  const figures = classesOf(report).flatMap(({ servers }) =>
    servers.map(({ entrant, rows }) => {
      const rates = rows.flatMap((row, i) =>
        row === undefined ? [] : `${whole(perCore(report, row))} (${batches[i]})`,
      );
      return `${entrant.name} ${rates.join(', ')}`;
    }),
  );
  return `${heading}, by orders in a request: ${figures.join('; ')}`;
}

function label(look: string, x: number, y: number, text: string, anchor = ''): string {
  const of = look === '' ? '' : ` class="${look}"`;
  return `<text${of} x="${Number(fixed(x, 1))}" y="${y}"${anchor}>${escaped(text)}</text>`;
}

function right(look: string, x: number, y: number, text: string): string {
  return text === '' ? '' : label(look, x, y, text, ' text-anchor="end"');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
