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

/** The three questions of the assignment, answered by what was measured. */
export function questions(record: StoryRecord): string {
  return [latencyQuestion(record), guaranteeQuestion(record), metricsQuestion(record)]
    .map(
      ({ question, answer }, i) =>
        `<article><h3><span>${i + 1}</span>${question}</h3>${answer}</article>`,
    )
    .join('\n');
}

interface Answered {
  readonly question: string;
  readonly answer: string;
}

function latencyQuestion({ direct, queue, latencyMeans }: StoryRecord): Answered {
  const question = 'Did the latency of the HTTP server change?';
  const [before, after] = [direct.latencyMs.created, queue.latencyMs.created];
  if (before === null || after === null) {
    return {
      question,
      answer: '<p>One of the modes answered no order with 200: nothing to compare.</p>',
    };
  }
  return {
    question,
    answer: `<p><strong>The median went from ${ms(before.p50)} to ${ms(after.p50)}</strong>, p99 from ${ms(before.p99)} to ${ms(after.p99)}, p99.9 from
${ms(before.p999)} to ${ms(after.p999)}. That is of the orders that were taken: a refusal is quick. Measured ${latencyMeans}.</p>
<p>What it pays for: without a queue the answer waits for the handler (${ms(direct.served.handlerMsMean)} a call; here
it does no work, a real one adds its time to every answer). With one it waits until the order is safe in the journal, ${ms(queue.served.commitMsMean)}
a write, and the handler's time is no part of it. What grows instead is the time until an order is
processed: ${seconds(queue.served.orderAgeSMean)} on average here, ${seconds(queue.served.oldestAgeSMax)} at most.</p>`,
  };
}

/** What the class that the server shows stands for; see docs/reference/guarantees.md. */
const SURVIVES: Readonly<Record<string, string>> = {
  fsync: 'flushed to disk: it survives kill -9 and a power cut',
  os: 'with the operating system: it survives kill -9, but not every power cut',
  replicated: 'on several servers: it survives the loss of one',
};

function guaranteeQuestion({ queue }: StoryRecord): Answered {
  const { created, served, durability } = queue;
  const kept = served.done === created && served.pendingOrdersEnd === 0 && served.dead === 0;
  const verdict = kept
    ? `Of ${whole(created)} orders answered 200 here, ${whole(served.done)} were processed, none waits, none is a dead letter.`
    : `Here it did not hold: ${whole(created)} answered 200, ${whole(served.done)} processed, ${whole(served.pendingOrdersEnd)} wait, ${whole(served.dead)} dead letters.`;
  return {
    question: 'Can we guarantee the user that the order is processed? Why, what can go wrong?',
    answer: `<p><strong>From the 200 on, yes.</strong> The 200 is only sent once the order is ${SURVIVES[durability] ?? `in the journal (class ${durability})`}.
It leaves the journal when it is done, or as a dead letter that is kept until somebody replays it. ${verdict}</p>
<p>What can still go wrong: the disk is lost, or lies about flushing; the process dies while an order is with the
handler, which then sees it again, under the same id (at least once); an order fails for good and
nobody looks at the dead letters; no answer arrives, and only an idempotency key tells a repeat from a
second order; a handler reports done before its effect is safe. No time is promised by which an order is processed.</p>
<p class="aside">This run tested none of the failures. <code>docs/reference/guarantees.md</code> names for each what happens and the test that
causes it: kill -9, power cut, full disk, clock, NATS away.</p>`,
  };
}

function metricsQuestion({ direct, queue }: StoryRecord): Answered {
  const { served } = queue;
  const rows: [string, string, string][] = [
    [
      'forebay_journal_pending_orders',
      'the backlog: is the drain behind?',
      `${whole(served.pendingOrdersMax)} at most`,
    ],
    [
      'forebay_journal_oldest_age_seconds',
      'how late the latest customer is',
      `${seconds(served.oldestAgeSMax)} at most`,
    ],
    [
      'forebay_order_age_seconds',
      'from accepted to done',
      `${seconds(served.orderAgeSMean)} on average`,
    ],
    [
      'forebay_commit_duration_seconds',
      'what safety costs each answer',
      `${ms(served.commitMsMean)} on average`,
    ],
    [
      'forebay_frame_orders',
      'orders that share one flush',
      `${short(served.frameOrdersMean)} on average`,
    ],
    [
      'forebay_handler_duration_seconds',
      'the business behind, by batch',
      `${ms(served.handlerMsMean)} on average`,
    ],
    [
      'forebay_waiting_orders',
      'requests without an answer yet',
      `${whole(served.waitingOrdersMax)} at most`,
    ],
    ['forebay_retries_total', 'failed attempts', whole(served.retries)],
    ['forebay_dead_total', 'orders that failed for good', whole(served.dead)],
    ['forebay_event_loop_lag_seconds', 'a thread that stalls', `${ms(served.lagMsMax)} at most`],
    [
      'forebay_http_responses_total',
      'answers by status',
      `500: ${percent(share(direct.refused, direct.offered))} without, ${percent(share(queue.refused, queue.offered))} with`,
    ],
  ];
  return {
    question: 'What other metrics can be collected from the queue and the service?',
    answer: `<p>All of these are on <code>/metrics</code> already; the last column is what they showed in this run.</p>
<table class="metrics"><thead><tr><th scope="col">metric</th><th scope="col">tells</th><th scope="col">here, with a queue</th></tr></thead><tbody>
${rows.map(([name, tells, here]) => `<tr><th scope="row"><code>${name}</code></th><td>${tells}</td><td>${here}</td></tr>`).join('\n')}
</tbody></table>`,
  };
}
