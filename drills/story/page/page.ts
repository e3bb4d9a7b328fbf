import { durationS } from '../../../k6/lib/sine.js';
import type { Verdict } from '../../wave/judge.js';
import type { ModeRecord, StoryRecord } from '../record.js';
import { type Frames, framesOf, plotsOf } from './plots.js';
import { STYLE } from './style.js';
import { figuresTable, questions, secondsTable } from './tables.js';
import { escaped, ms, percent, seconds, share, whole } from './text.js';

/** The story as one HTML file. It loads nothing from the network and runs no script. */
export function storyPage(record: StoryRecord): string {
  const frames = framesOf(record);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>One wave, without and with a queue</title>
<style>${STYLE}</style>
</head>
<body>
<header class="top">
<p class="eyebrow">Forebay ${record.forebay}</p>
<h1>One wave, without and with a queue</h1>
<p class="lead">${lead(record)}</p>
${badge(record)}
</header>
<main>
<div class="modes">
${modeColumn(record, record.direct, frames)}
${modeColumn(record, record.queue, frames)}
</div>
<p class="aside">Each bar is one second, counted from the start of the wave. A request counts in the second in which it was sent; at
the limit, a 200 counts in the next second if it had no answer yet. Orders with a queue count when the server hands them to the handler, by
its own clock on <code>/metrics</code>. Latency is as the client saw it, ${record.latencyMeans}. Both columns have the same scales.</p>
<section><h2>Three questions</h2><div class="questions">${questions(record)}</div></section>
<section><h2>Figures</h2>${figuresTable(record)}
<details><summary>Second by second</summary>${secondsTable(record)}</details></section>
<section><h2>Checks</h2>${checks(record)}</section>
<section><h2>Run it again</h2>${runAgain(record)}</section>
</main>
<script type="application/json" id="story">${JSON.stringify(record).replaceAll('<', '\\u003c')}</script>
</body>
</html>
`;
}

function lead({ wave, rpsLimit, drainRate, direct, queue }: StoryRecord): string {
  const load = `A sine wave of ${wave.minRps} to ${wave.maxRps} orders a second, ${wave.periods}\u00a0×\u00a0${wave.periodS}\u202fs, meets a shop that can handle ${rpsLimit} a second`;
  const refused = `Without a queue, ${whole(direct.refused)} of ${whole(direct.offered)} orders are refused (${percent(share(direct.refused, direct.offered))})`;
  const { created, offered, server } = queue;
  const rate = `at most ${drainRate} a second`;
  const kept = created === offered && server.done === created;
  const processed = kept
    ? `With a queue, none is refused: all ${whole(created)} orders are accepted and processed, ${rate}`
    : `With a queue, ${whole(created)} of ${whole(offered)} orders are accepted and ${whole(server.done)} are processed, ${rate}`;
  const end =
    server.drainedAfterS > 0
      ? `The last order is processed ${seconds(server.drainedAfterS)} after the ${durationS(wave)}\u202fs of the wave.`
      : '';
  return `${load}. ${refused}. ${processed}. ${end}`.trim();
}

function badge({ direct, queue }: StoryRecord): string {
  const verdicts = [...direct.verdicts, ...queue.verdicts];
  const failed = verdicts.filter(({ ok }) => !ok).length;
  return failed === 0
    ? `<p class="badge ok">All ${verdicts.length} checks passed</p>`
    : `<p class="badge fail">${failed} of ${verdicts.length} checks failed: see “Checks”</p>`;
}

/** One mode: its key figures, and its plots. */
function modeColumn(story: StoryRecord, record: ModeRecord, frames: Frames): string {
  const eyebrow = record.mode === 'direct' ? 'Without a queue' : 'With Forebay’s queue';
  return `<section class="mode" aria-labelledby="${record.mode}">
<header><p class="eyebrow">${eyebrow}</p><h2 id="${record.mode}">${headline(record)}</h2></header>
<dl class="key">${keyFigures(story, record)}</dl>
${plotsOf(story, record, frames)}
</section>`;
}

function headline({ offered, created, refused, server }: ModeRecord): string {
  if (created === offered && server.done === created) return 'Every order is processed';
  if (refused > 0) return `${percent(share(refused, offered))} of the orders are refused`;
  return `${percent(share(server.done, offered))} of the orders are processed`;
}

function keyFigures({ wave, rpsLimit, drainRate }: StoryRecord, record: ModeRecord): string {
  const lastsS = durationS(wave);
  const capacity = (record.mode === 'direct' ? rpsLimit : drainRate) * lastsS;
  const during = record.seconds.slice(0, lastsS);
  const processed = during.reduce((sum, second) => sum + second.processed, 0);
  const figures: [string, string, string][] = [
    [whole(record.created), 'answered 200', 'good'],
    [whole(record.refused), 'answered 500', record.refused > 0 ? 'bad' : ''],
    [whole(record.server.done), 'processed', ''],
    [percent(share(processed, capacity)), 'of the capacity used during the wave', ''],
  ];
  return figures
    .map(([value, text, look]) => `<div class="${look}"><dd>${value}</dd><dt>${text}</dt></div>`)
    .join('');
}

function checks(record: StoryRecord): string {
  const line = ({ ok, text }: Verdict) =>
    `<li class="${ok ? 'ok' : 'fail'}"><b>${ok ? 'ok' : 'FAIL'}</b> <span>${escaped(text)}</span></li>`;
  const list = (name: string, { verdicts }: ModeRecord) =>
    `<div><h3>${name}</h3><ul class="checks">${verdicts.map(line).join('\n')}</ul></div>`;
  const lists = list('Without a queue', record.direct) + list('With a queue', record.queue);
  return `<div class="pair">${lists}</div>${machineNote(record)}`;
}

/** Where a check failed, what the machine may have had to do with it. */
function machineNote({ ok, machine, direct, queue }: StoryRecord): string {
  if (ok) return '';
  const stallMs = Math.max(direct.server.lagMsMax, queue.server.lagMsMax);
  return `<p class="aside">The limits are judged so that a busy machine cannot break them. For the other checks, look at the machine: the load
average was ${machine.loadAverage} on ${machine.cores} cores before the run, and the server’s threads stalled for up to ${ms(stallMs)}.</p>`;
}

/** How to repeat the run, and where it was made. */
function runAgain(record: StoryRecord): string {
  const { machine, direct, queue } = record;
  const facts: [string, string][] = [
    ['taken', record.takenAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')],
    ['Forebay', record.forebay],
    ['load by', record.generator],
    ['Node', machine.node],
    ['machine', `${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, ${machine.system}`],
    ['load average before', String(machine.loadAverage)],
  ];
  const byHand = ({ serverCommand, loadCommand }: ModeRecord) =>
    `${escaped(serverCommand)}\n${escaped(loadCommand)}      <i># in a second terminal</i>`;
  return `<div class="pair"><div>
<p>From a clone of Forebay, with nothing else installed:</p>
<pre><code>npm ci
${escaped(record.command)}</code></pre>
<p>Or one mode at a time:</p>
<pre><code>${byHand(direct)}

${byHand(queue)}</code></pre></div>
<dl class="facts">${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl></div>`;
}
