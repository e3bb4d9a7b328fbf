import type { ModeRecord, StoryRecord } from '../record.js';
import { ms, percent, perSecond, seconds, share, short, whole } from './text.js';

type Row = readonly [what: string, of: (record: ModeRecord) => string];

const ROWS: readonly Row[] = [
  ['requests due', ({ offered }) => whole(offered)],
  ['requests not sent (any makes the run void)', ({ dropped }) => whole(dropped)],
  ['answered 200', ({ created, offered }) => withShare(created, offered)],
  ['answered 500', ({ refused, offered }) => withShare(refused, offered)],
  ['any other answer, or none', ({ other }) => whole(other)],
  ['processed', ({ server }) => whole(server.done)],
  ['most processed in any second', ({ peakPerSecond }) => perSecond(peakPerSecond)],
  ['most pending at once', ({ server }) => whole(server.pendingOrdersMax)],
  ['pending at the end', ({ server }) => whole(server.pendingOrdersEnd)],
  ['from accepted to processed, mean', ({ server }) => seconds(server.orderAgeSMean)],
  ['oldest pending order', ({ server }) => seconds(server.oldestAgeSMax)],
  ['backlog empty, after the end of the wave', ({ server }) => seconds(server.drainedAfterS)],
  ['latency of the 200s: p50', ({ latencyMs }) => ms(latencyMs.created?.p50 ?? null)],
  ['p90', ({ latencyMs }) => ms(latencyMs.created?.p90 ?? null)],
  ['p99', ({ latencyMs }) => ms(latencyMs.created?.p99 ?? null)],
  ['p99.9', ({ latencyMs }) => ms(latencyMs.created?.p999 ?? null)],
  ['longest', ({ latencyMs }) => ms(latencyMs.created?.max ?? null)],
  ['latency of the 500s: p50', ({ latencyMs }) => ms(latencyMs.refused?.p50 ?? null)],
  ['p99', ({ latencyMs }) => ms(latencyMs.refused?.p99 ?? null)],
  ['CPU of the server, of one core', ({ server }) => percent(server.cpuShare)],
  ['memory of the server, at most', ({ server }) => `${short(server.residentMbMax)} MB`],
];

/** What the plots show, and more, as numbers. */
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

/** The numbers of the bars. */
export function secondsTable({ direct, queue }: StoryRecord): string {
  const head = ['second', 'wave', '200', '500', 'processed', 'pending'];
  const table = ({ seconds: all }: ModeRecord, name: string) => `<table class="seconds">
<caption>${name}; “pending” at the end of the second</caption>
<thead><tr>${head.map((text) => `<th scope="col">${text}</th>`).join('')}</tr></thead>
<tbody>${all
    .map(
      ({ due, created, refused, processed, pendingOrders }, i) =>
        `<tr><th scope="row">${i + 1}</th><td>${due.toFixed(1)}</td>${[
          created,
          refused,
          processed,
          pendingOrders,
        ]
          .map((count) => `<td>${whole(count)}</td>`)
          .join('')}</tr>`,
    )
    .join('\n')}</tbody></table>`;
  return `<div class="pair">${table(direct, 'without a queue')}${table(queue, 'with a queue')}</div>`;
}

function withShare(part: number, of: number): string {
  return `${whole(part)} <small>${percent(share(part, of))}</small>`;
}

/** Three questions that a reader has, answered by the measurements. */
export function questions(story: StoryRecord): string {
  return [latencyQuestion(story), guaranteeQuestion(story), metricsQuestion(story)]
    .map(
      ({ question, answer }, i) =>
        `<article><h3><span>${i + 1}</span>${question}</h3>${answer}</article>`,
    )
    .join('\n');
}

interface Question {
  readonly question: string;
  readonly answer: string;
}

function latencyQuestion({ direct, queue, latencyMeans }: StoryRecord): Question {
  const question = 'Did the latency of the HTTP server change?';
  const [before, after] = [direct.latencyMs.created, queue.latencyMs.created];
  if (before === null || after === null) {
    const answer =
      '<p>One of the modes answered no order with 200: there is nothing to compare.</p>';
    return { question, answer };
  }
  return {
    question,
    answer: `<p><strong>The median went from ${ms(before.p50)} to ${ms(after.p50)}</strong>, p99 from ${ms(before.p99)} to ${ms(after.p99)}, p99.9 from
${ms(before.p999)} to ${ms(after.p999)}. These are the accepted orders: a refusal is quick. Measured ${latencyMeans}.</p>
<p>Without a queue, the answer waits for the handler (${ms(direct.server.handlerMsMean)} a call; here
it does no work, a real one adds its time to every answer). With a queue, the answer waits until the order is safe in the journal, ${ms(queue.server.commitMsMean)}
a write, and not for the handler. In return, the time until an order is
processed grows: ${seconds(queue.server.orderAgeSMean)} on average here, ${seconds(queue.server.oldestAgeSMax)} at most.</p>`,
  };
}

/** What the class that the server shows stands for; see docs/reference/guarantees.md. */
/** What the 200 means, by the class of durability. */
export const SURVIVES: Readonly<Record<string, string>> = {
  fsync: 'flushed to disk: it survives kill -9 and a power cut',
  os: 'with the operating system: it survives kill -9, but not every power cut',
  replicated: 'on several servers: it survives the loss of one server',
};

function guaranteeQuestion({ queue }: StoryRecord): Question {
  const { created, server, durability } = queue;
  const kept = server.done === created && server.pendingOrdersEnd === 0 && server.dead === 0;
  const verdict = kept
    ? `Of ${whole(created)} orders answered 200 here, ${whole(server.done)} were processed, none is pending, none is a dead letter.`
    : `It did not hold here: ${whole(created)} answered 200, ${whole(server.done)} processed, ${whole(server.pendingOrdersEnd)} pending, ${whole(server.dead)} dead letters.`;
  return {
    question: 'Can we guarantee that the order is processed? Why, and what can go wrong?',
    answer: `<p><strong>From the 200 on, yes.</strong> The 200 is only sent once the order is ${SURVIVES[durability] ?? `in the journal (class ${durability})`}.
It leaves the journal when it is processed, or becomes a dead letter, which is kept until an operator replays or drops it. ${verdict}</p>
<p>What can still go wrong: the disk is lost, or does not flush what it says it flushed; the process dies while the handler has an order, and
the handler gets it again under the same id (at least once); an order fails for good and
no operator looks at the dead letters; no answer arrives, and only an idempotency key tells a repeated order from a
second one; a handler reports success before its effect is safe. There is no promise of how soon an order is processed.</p>
<p class="aside">This run tested none of these failures. <code>docs/reference/failures.md</code> says for each what happens and which test
causes it: kill -9, power cut, full disk, clock, NATS unreachable.</p>`,
  };
}

function metricsQuestion({ direct, queue }: StoryRecord): Question {
  const { server } = queue;
  const average = (text: string) => `${text} on average`;
  const atMost = (text: string) => `${text} at most`;
  const rows: [string, string, string][] = [
    [
      'forebay_journal_pending_orders',
      'the backlog: is the drain behind?',
      atMost(whole(server.pendingOrdersMax)),
    ],
    [
      'forebay_journal_oldest_age_seconds',
      'how long the oldest order is pending',
      atMost(seconds(server.oldestAgeSMax)),
    ],
    [
      'forebay_order_age_seconds',
      'from accepted to processed',
      average(seconds(server.orderAgeSMean)),
    ],
    [
      'forebay_commit_duration_seconds',
      'what safety costs each answer',
      average(ms(server.commitMsMean)),
    ],
    ['forebay_frame_orders', 'orders that share one flush', average(short(server.frameOrdersMean))],
    [
      'forebay_handler_duration_seconds',
      'a call of the handler, with its batch',
      average(ms(server.handlerMsMean)),
    ],
    [
      'forebay_waiting_orders',
      'requests without an answer yet',
      atMost(whole(server.waitingOrdersMax)),
    ],
    ['forebay_retries_total', 'failed attempts', whole(server.retries)],
    ['forebay_dead_total', 'orders that failed for good', whole(server.dead)],
    ['forebay_event_loop_lag_seconds', 'a thread that stalls', atMost(ms(server.lagMsMax))],
    [
      'forebay_http_responses_total',
      'answers by status',
      `500: ${percent(share(direct.refused, direct.offered))} without, ${percent(share(queue.refused, queue.offered))} with`,
    ],
  ];
  return {
    question: 'What other metrics can be collected from the queue and the service?',
    answer: `<p>All of these are on <code>/metrics</code>. The last column is what they showed in this run.</p>
<table class="metrics"><thead><tr><th scope="col">metric</th><th scope="col">shows</th><th scope="col">here, with a queue</th></tr></thead><tbody>
${rows.map(([name, shows, here]) => `<tr><th scope="row"><code>${name}</code></th><td>${shows}</td><td>${here}</td></tr>`).join('\n')}
</tbody></table>`,
  };
}
