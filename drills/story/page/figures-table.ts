import type { ActRecord, StoryRecord } from '../record.js';
import { ms, percent, seconds, share, short, whole } from './text.js';

type Row = readonly [what: string, of: (act: ActRecord) => string];

const ROWS: readonly Row[] = [
  ['requests that were due', ({ offered }) => whole(offered)],
  ['of these not sent (any would void the run)', ({ dropped }) => whole(dropped)],
  ['answered 200', ({ created, offered }) => counted(created, offered)],
  ['answered 500', ({ refused, offered }) => counted(refused, offered)],
  ['any other answer, or none', ({ other }) => whole(other)],
  ['processed', ({ served }) => whole(served.done)],
  ['most waiting at once', ({ served }) => whole(served.pendingOrdersMax)],
  ['waiting at the end', ({ served }) => whole(served.pendingOrdersEnd)],
  ['from accepted to processed, mean', ({ served }) => seconds(served.orderAgeSMean)],
  ['oldest order that waited', ({ served }) => seconds(served.oldestAgeSMax)],
  ['backlog empty, after the wave’s end', ({ served }) => seconds(served.drainedAfterS)],
  ['latency of the 200s: p50', ({ latencyMs }) => ms(latencyMs.created?.p50 ?? null)],
  ['p90', ({ latencyMs }) => ms(latencyMs.created?.p90 ?? null)],
  ['p99', ({ latencyMs }) => ms(latencyMs.created?.p99 ?? null)],
  ['p99.9', ({ latencyMs }) => ms(latencyMs.created?.p999 ?? null)],
  ['longest', ({ latencyMs }) => ms(latencyMs.created?.max ?? null)],
  ['latency of the 500s: p50', ({ latencyMs }) => ms(latencyMs.refused?.p50 ?? null)],
  ['p99', ({ latencyMs }) => ms(latencyMs.refused?.p99 ?? null)],
  ['CPU of the server, of one core', ({ served }) => percent(served.cpuShare)],
  ['memory of the server, most', ({ served }) => `${short(served.residentMbMax)} MB`],
];

/** All that the pictures show, and what they don't, as numbers. */
export function figuresTable({ direct, queue }: StoryRecord): string {
  const rows = ROWS.map(
    ([what, of]) =>
      `<tr><th scope="row">${what}</th><td>${of(direct)}</td><td>${of(queue)}</td></tr>`,
  );
  return `<table class="figures">
<thead><tr><th scope="col">measured</th><th scope="col">without a queue</th><th scope="col">with a queue</th></tr></thead>
<tbody>${rows.join('\n')}</tbody>
</table>`;
}

/** The numbers behind the pictures, second by second. */
export function secondsTable({ direct, queue }: StoryRecord): string {
  const head = ['to', 'wave', '200', '500', 'done', 'wait'];
  const table = (act: ActRecord, name: string) => `<table class="seconds">
<caption>${name}, per second; “wait” at the end of it</caption>
<thead><tr>${head.map((text) => `<th scope="col">${text}</th>`).join('')}</tr></thead>
<tbody>${act.steps
    .map(
      (s) =>
        `<tr><th scope="row">${s.toS.toFixed(1)}</th>${[
          s.dueRps,
          s.createdRps,
          s.refusedRps,
          s.doneRps,
        ]
          .map((value) => `<td>${value.toFixed(1)}</td>`)
          .join('')}<td>${whole(s.pendingOrders)}</td></tr>`,
    )
    .join('\n')}</tbody></table>`;
  return `<div class="pair">${table(direct, 'without a queue')}${table(queue, 'with a queue')}</div>`;
}

function counted(part: number, of: number): string {
  return `${whole(part)} <small>${percent(share(part, of))}</small>`;
}
