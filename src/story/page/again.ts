import type { Verdict } from '../../wave/verdicts.js';
import type { ActRecord, StoryRecord } from '../record.js';
import { escaped } from './text.js';

/** What the run had to show, line by line. */
export function checks({ direct, queue }: StoryRecord): string {
  const line = ({ ok, text }: Verdict) =>
    `<li class="${ok ? 'ok' : 'fail'}"><b>${ok ? 'ok' : 'FAIL'}</b> <span>${escaped(text)}</span></li>`;
  const list = (name: string, { verdicts }: ActRecord) =>
    `<div><h3>${name}</h3><ul class="checks">${verdicts.map(line).join('\n')}</ul></div>`;
  return `<div class="pair">${list('Without a queue', direct)}${list('With a queue', queue)}</div>`;
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
<pre><code>npm ci &amp;&amp; npm run build
${escaped(record.command)}</code></pre>
<p>Or each half by hand:</p>
<pre><code>${byHand(direct)}

${byHand(queue)}</code></pre></div>
<dl class="facts">${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl></div>`;
}
