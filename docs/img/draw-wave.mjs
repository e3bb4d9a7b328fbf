// Draws docs/img/wave.svg: the sine of orders that arrive, and the line at which they are processed.
// Calculated from the formula in k6/lib/sine.js, not measured. Usage: node docs/img/draw-wave.mjs
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defaultWave, durationS, rate } from '../../k6/lib/sine.js';

const DRAIN_RPS = 60;
/** Of the calculation; of it, every `STEPS_DRAWN`-th is drawn. */
const STEP_S = 0.05;
const STEPS_DRAWN = 20;

const PLOT = { left: 52, top: 20, width: 640, height: 220 };
const WIDTH = 720;
const HEIGHT = 320;
/** A little air above the peak. */
const TOP_RPS = 110;

const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #57606a }
    .axis { stroke: #8c959f; fill: none }
    .grid { stroke: #8c959f; stroke-opacity: .3 }
    .in { stroke: #0969da; fill: none; stroke-width: 2 }
    .out { stroke: #1a7f37; fill: none; stroke-width: 3 }
    .kept { fill: #0969da; fill-opacity: .15 }
    @media (prefers-color-scheme: dark) {
      text { fill: #b1bac4 }
      .in { stroke: #58a6ff }
      .out { stroke: #3fb950 }
      .kept { fill: #58a6ff; fill-opacity: .2 }
    }`;

/** @returns {{ tS: number, inRps: number, outRps: number }[]} */
function points() {
  const drawn = [];
  let backlog = 0;
  for (let step = 0; step * STEP_S <= durationS(defaultWave); step++) {
    const tS = step * STEP_S;
    const inRps = rate(tS, defaultWave);
    const outRps = Math.min(DRAIN_RPS, backlog / STEP_S + inRps);
    backlog += (inRps - outRps) * STEP_S;
    if (step % STEPS_DRAWN === 0) drawn.push({ tS, inRps, outRps });
  }
  return drawn;
}

function x(tS) {
  return (PLOT.left + (tS / durationS(defaultWave)) * PLOT.width).toFixed(1);
}

function y(rps) {
  return (PLOT.top + PLOT.height * (1 - rps / TOP_RPS)).toFixed(1);
}

function path(at) {
  return `M${at.join('L')}`;
}

function gridLine(rps) {
  const right = PLOT.left + PLOT.width;
  return `<path class="grid" d="M${PLOT.left} ${y(rps)}H${right}"/><text x="${PLOT.left - 8}" y="${y(rps)}" dy="4" text-anchor="end">${rps}</text>`;
}

function tick(tS) {
  return `<text x="${x(tS)}" y="${PLOT.top + PLOT.height + 18}" text-anchor="middle">${tS} s</text>`;
}

/** The picture, as SVG. */
export function waveSvg() {
  const all = points();
  const arrivals = all.map(({ tS, inRps }) => `${x(tS)} ${y(inRps)}`);
  const processed = all.map(({ tS, outRps }) => `${x(tS)} ${y(outRps)}`);
  const above = all.map(({ tS, inRps }) => `${x(tS)} ${y(Math.max(inRps, DRAIN_RPS))}`);
  const [left, right] = [PLOT.left, PLOT.left + PLOT.width];
  const bottom = PLOT.top + PLOT.height;
  const legendY = HEIGHT - 34;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">
  <title id="title">Orders a second over two periods: a sine from 0 to 100 arrives, at most ${DRAIN_RPS} are processed</title>
  <style>${STYLE}
  </style>
  ${[0, 20, 40, 60, 80, 100].map(gridLine).join('\n  ')}
  ${[0, 30, 60, 90, 120].map(tick).join('\n  ')}
  <path class="kept" d="${path(above)}L${right} ${y(DRAIN_RPS)}L${left} ${y(DRAIN_RPS)}Z"/>
  <path class="in" d="${path(arrivals)}"/>
  <path class="out" d="${path(processed)}"/>
  <path class="axis" d="M${left} ${PLOT.top}V${bottom}H${right}"/>
  <path class="in" d="M${left} ${legendY - 4}h24"/><text x="${left + 32}" y="${legendY}">accepted, orders a second</text>
  <path class="out" d="M${left + 250} ${legendY - 4}h24"/><text x="${left + 282}" y="${legendY}">processed, --drain-rate ${DRAIN_RPS}</text>
  <path class="kept" d="M${left + 490} ${legendY - 12}h24v14h-24z"/><text x="${left + 522}" y="${legendY}">waits in the journal</text>
  <text x="${left}" y="${HEIGHT - 10}">Calculated from the formula of k6/lib/sine.js; measured waves stand in docs/waves.md.</text>
</svg>
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('wave.svg', import.meta.url), waveSvg());
}
