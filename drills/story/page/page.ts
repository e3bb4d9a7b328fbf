import { durationS } from '../../../k6/lib/sine.js';
import type { Verdict } from '../../wave/verdicts.js';
import type { ActRecord, Step, StoryRecord } from '../record.js';
import type { Frame } from './plot.js';
import {
  answersPlot,
  backlogPlot,
  latencyFrame,
  latencyPlot,
  type SharedFrames,
  sharedFrames,
  workPlot,
} from './plots.js';
import { STYLE } from './style.js';
import { figuresTable, questions, secondsTable } from './tables.js';
import { escaped, ms, percent, seconds, share, whole } from './text.js';

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

/** One mode: what it came to, and its pictures. */
function actColumn(
  record: StoryRecord,
  act: ActRecord,
  frames: SharedFrames,
  latency: Frame,
): string {
  const eyebrow = act.mode === 'direct' ? 'Without a queue' : 'With Forebay’s queue';
  return `<section class="act" aria-labelledby="${act.mode}">
<header><p class="eyebrow">${eyebrow}</p><h2 id="${act.mode}">${headline(act)}</h2></header>
<dl class="key">${keyFigures(record, act)}</dl>
${answersPlot(record, act, frames.rates)}
${workPlot(record, act, frames.rates)}
${backlogPlot(act, frames.backlog)}
${latencyPlot(act, latency)}
</section>`;
}

function headline({ offered, created, refused, served }: ActRecord): string {
  if (created === offered && served.done === created) return 'Everyone is served';
  if (refused > 0) return `${percent(share(refused, offered))} are turned away`;
  return `${percent(share(served.done, offered))} are served`;
}

function keyFigures(record: StoryRecord, act: ActRecord): string {
  const lastsS = durationS(record.wave);
  const bears = (act.mode === 'direct' ? record.limitRps : record.drainRps) * lastsS;
  const used = percent(share(doneWithin(act.steps, lastsS), bears));
  const figures: [string, string, string][] = [
    [whole(act.created), 'answered 200', 'good'],
    [whole(act.refused), 'answered 500', act.refused > 0 ? 'bad' : ''],
    [whole(act.served.done), 'processed', ''],
    [used, 'of its capacity used during the wave', ''],
  ];
  return figures
    .map(([value, text, look]) => `<div class="${look}"><dd>${value}</dd><dt>${text}</dt></div>`)
    .join('');
}

function doneWithin(steps: readonly Step[], endS: number): number {
  return steps.reduce(
    (sum, { fromS, toS, doneRps }) => sum + doneRps * Math.max(0, Math.min(toS, endS) - fromS),
    0,
  );
}

/** What the run had to show, line by line. */
export function checks(record: StoryRecord): string {
  const { direct, queue } = record;
  const line = ({ ok, text }: Verdict) =>
    `<li class="${ok ? 'ok' : 'fail'}"><b>${ok ? 'ok' : 'FAIL'}</b> <span>${escaped(text)}</span></li>`;
  const list = (name: string, { verdicts }: ActRecord) =>
    `<div><h3>${name}</h3><ul class="checks">${verdicts.map(line).join('\n')}</ul></div>`;
  return `<div class="pair">${list('Without a queue', direct)}${list('With a queue', queue)}</div>${doubt(record)}`;
}

/** Where a check failed, what may have been in the way of a fair one. */
function doubt({ ok, machine, direct, queue }: StoryRecord): string {
  if (ok) return '';
  const stallMs = Math.max(direct.served.lagMsMax, queue.served.lagMsMax);
  return `<p class="aside">Look at the machine too: its load average was ${machine.loadAverage} on ${machine.cores} cores before, and the server's
threads stalled for up to ${ms(stallMs)}. A server that stalls finishes within one second what it took in hand in two, and a generator that stalls
sends in one second what was due in two. On a machine that has time, do it again.</p>`;
}

/** How to do it again, and what it was done on. */
export function again(record: StoryRecord): string {
  const { machine, direct, queue } = record;
  const facts: [string, string][] = [
    ['taken', record.takenAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')],
    ['Forebay', record.forebay],
    ['load by', record.generator],
    ['Node', machine.node],
    ['machine', `${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, ${machine.system}`],
    ['load average before', String(machine.loadAverage)],
  ];
  const byHand = ({ serverCommand, loadCommand }: ActRecord) =>
    `${escaped(serverCommand)}\n${escaped(loadCommand)}      <i># in a second terminal</i>`;
  return `<div class="pair"><div>
<p>From a clone of Forebay, with nothing else installed:</p>
<pre><code>npm ci
${escaped(record.command)}</code></pre>
<p>Or each half by hand:</p>
<pre><code>${byHand(direct)}

${byHand(queue)}</code></pre></div>
<dl class="facts">${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl></div>`;
}
