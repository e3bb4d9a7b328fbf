import { durationS } from '../../../k6/lib/sine.js';
import type { StoryRecord } from '../record.js';
import { actColumn } from './act-column.js';
import { again, checks } from './again.js';
import { figuresTable, secondsTable } from './figures-table.js';
import { latencyFrame } from './latency-plot.js';
import { questions } from './questions.js';
import { STYLE } from './style.js';
import { percent, seconds, share, whole } from './text.js';
import { sharedFrames } from './wave-plots.js';

/** The story as one HTML file that asks the network for nothing and runs no script. */
export function storyPage(record: StoryRecord): string {
  const frames = sharedFrames(record);
  const latency = latencyFrame(record);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>Smooth the corners: one wave, without and with a queue</title>
<style>${STYLE}</style>
</head>
<body>
<header class="top">
<p class="eyebrow">Forebay ${record.forebay}</p>
<h1>Smooth the corners</h1>
<p class="lead">${lead(record)}</p>
${badge(record)}
</header>
<main>
<div class="acts">
${actColumn(record, record.direct, frames, latency)}
${actColumn(record, record.queue, frames, latency)}
</div>
<p class="aside">Drawn from the server's own counters on <code>/metrics</code>, read once a second; latency as the client saw it,
${record.latencyMeans}. Each pair has the same scales.</p>
<section><h2>Three questions</h2><div class="questions">${questions(record)}</div></section>
<section><h2>In figures</h2>${figuresTable(record)}
<details><summary>Second by second</summary>${secondsTable(record)}</details></section>
<section><h2>What it had to show</h2>${checks(record)}</section>
<section><h2>Do it again</h2>${again(record)}</section>
</main>
<script type="application/json" id="story">${JSON.stringify(record).replaceAll('<', '\\u003c')}</script>
</body>
</html>
`;
}

function lead({ wave, limitRps, drainRps, direct, queue }: StoryRecord): string {
  const load = `A sine of ${wave.minRps} to ${wave.maxRps} orders a second, ${wave.periods}\u00a0×\u00a0${wave.periodS}\u202fs, meets a shop that bears ${limitRps} a second`;
  const rate = drainRps === limitRps ? 'at the same pace' : `at ${drainRps} a second`;
  const refused = `Alone, it turns ${whole(direct.refused)} of ${whole(direct.offered)} customers away (${percent(share(direct.refused, direct.offered))})`;
  const { created, offered, served } = queue;
  const all = created === offered && served.done === created;
  const taken = all
    ? `With a queue in front it turns nobody away: all ${whole(created)} orders are taken, and processed ${rate}, the trough doing the work of the peak`
    : `With a queue in front ${whole(created)} of ${whole(offered)} orders are taken, and ${whole(served.done)} processed ${rate}`;
  const end =
    served.drainedAfterS > 0
      ? ` The last is done ${seconds(served.drainedAfterS)} after the ${durationS(wave)}\u202fs of the wave.`
      : '';
  return `${load}. ${refused}. ${taken}.${end}`;
}

function badge({ direct, queue }: StoryRecord): string {
  const verdicts = [...direct.verdicts, ...queue.verdicts];
  const failed = verdicts.filter(({ ok }) => !ok).length;
  return failed === 0
    ? `<p class="badge ok">All ${verdicts.length} checks of this run passed</p>`
    : `<p class="badge fail">${failed} of ${verdicts.length} checks failed: see “What it had to show”</p>`;
}
