import type { Verdict } from '../../wave/verdicts.js';
import type { ActRecord, StoryRecord } from '../record.js';
import { escaped, ms } from './text.js';

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
