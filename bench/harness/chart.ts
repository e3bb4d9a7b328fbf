import { type Durability, durabilities } from '../contestants/contestant.js';
import type { Report } from './report.js';
import type { Row } from './rows.js';
import { caseTitle, mainCase, rowsOf } from './tables.js';
import { fixed, whole } from './text.js';

const WIDTH = 920;
const MARGIN = 20;
const LABEL_WIDTH = 340;
const BAR_LEFT = MARGIN + LABEL_WIDTH + 10;
const BAR_WIDTH = 390;
const BAR_HEIGHT = 16;
const ROW_HEIGHT = 24;
const GROUP_HEIGHT = 34;
const HEAD_HEIGHT = 64;

/** Draws its own background, so that it is readable on light and dark pages. */
const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .title { font-size: 16px; font-weight: 600 }
    .group { font-weight: 600 }
    .quiet { fill: #59636e }
    .ground { fill: #ffffff; stroke: #d1d9e0 }
    .limit { fill: #8c959f }
    .forebay { fill: #0969da }
    .other { fill: #bc4c00 }
    .spread { stroke: #1f2328; stroke-opacity: .7; fill: none }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .quiet { fill: #9198a1 }
      .ground { fill: #0d1117; stroke: #3d444d }
      .limit { fill: #656c76 }
      .forebay { fill: #4493f8 }
      .other { fill: #db6d28 }
      .spread { stroke: #f0f6fc }
    }`;

/** An SVG with orders per second as bars, grouped by durability. */
export function chart(report: Report): string {
  const where = mainCase(report);
  const rows = rowsOf(report, where);
  const most = Math.max(...rows.map(({ requestsPerSecond }) => requestsPerSecond.most));
  const parts: string[] = [];
  let y = HEAD_HEIGHT;
  for (const durability of Object.keys(durabilities) as Durability[]) {
    const group = rows.filter(({ entrant }) => entrant.durability === durability);
    if (group.length === 0) continue;
    parts.push(label('group', MARGIN, y + 20, `200 means: ${durabilities[durability]}`));
    y += GROUP_HEIGHT;
    for (const row of group) {
      parts.push(bar(row, y, most));
      y += ROW_HEIGHT;
    }
  }
  const height = y + MARGIN;
  const title = `Orders per second, ${caseTitle(where)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
  <title id="title">${escaped(alt(title, rows))}</title>
  <style>${STYLE}
  </style>
  <rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>
  ${label('title', MARGIN, 30, title)}
  ${label('quiet', MARGIN, 52, 'bars: medians; lines: range of the rounds; in brackets: share of bare uWebSockets.js')}
  ${parts.join('\n  ')}
</svg>
`;
}

function bar({ entrant, requestsPerSecond, ratio }: Row, y: number, most: number): string {
  const x = (value: number) => BAR_LEFT + (BAR_WIDTH * value) / most;
  const { median, least, most: best } = requestsPerSecond;
  const middle = y + BAR_HEIGHT / 2;
  const share = ratio === null ? '' : ` (${fixed(ratio.median, 2)})`;
  return [
    `<text x="${BAR_LEFT - 10}" y="${middle + 5}" text-anchor="end">${escaped(entrant.name)}</text>`,
    `<rect class="${entrant.kind}" x="${BAR_LEFT}" y="${y}" width="${fixed(x(median) - BAR_LEFT, 1)}" height="${BAR_HEIGHT}" rx="2"/>`,
    `<path class="spread" d="M${fixed(x(least), 1)} ${middle}H${fixed(x(best), 1)}"/>`,
    label('', Number(fixed(x(best) + 8, 1)), middle + 5, `${whole(median)}${share}`),
  ].join('');
}

/** The text alternative: all figures. */
function alt(title: string, rows: readonly Row[]): string {
  const figures = rows.map(
    ({ entrant, requestsPerSecond }) => `${entrant.name} ${whole(requestsPerSecond.median)}`,
  );
  return `${title}: ${figures.join('; ')}`;
}

function label(look: string, x: number, y: number, text: string): string {
  return `<text${look === '' ? '' : ` class="${look}"`} x="${x}" y="${y}">${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
