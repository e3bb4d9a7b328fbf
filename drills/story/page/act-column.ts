import { durationS } from '../../../k6/lib/sine.js';
import type { ActRecord, StoryRecord } from '../record.js';
import type { Step } from '../series.js';
import { latencyPlot } from './latency-plot.js';
import type { Frame } from './plot.js';
import { percent, share, whole } from './text.js';
import { answersPlot, backlogPlot, type SharedFrames, workPlot } from './wave-plots.js';

/** One mode: what it came to, and its pictures. */
export function actColumn(
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
