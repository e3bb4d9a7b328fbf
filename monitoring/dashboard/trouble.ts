/** What should be zero. */
import { lines } from './kinds.js';
import { bound, colour, ORDERS, ORDERS_PER_SECOND, of, rate, type Unplaced } from './panel.js';

export const trouble: readonly Unplaced[] = [
  lines(
    {
      title: 'Answers other than 200',
      description:
        'Share of all answers: refused by Forebay (5xx: over the limit, or busy), and refused because it was no valid order (4xx).',
      unit: 'percentunit',
    },
    [
      { expr: share('5..'), legend: 'refused' },
      { expr: share('4..'), legend: 'invalid' },
    ],
    { overrides: [colour(/^refused$/, 'red'), colour(/^invalid$/, 'yellow')] },
  ),
  lines(
    {
      title: 'Retries and dead letters',
      description:
        'Orders filed again after a failed attempt, and those that failed for good: became a dead letter, or were put off because too many are kept.',
      unit: ORDERS_PER_SECOND,
    },
    [
      { expr: `sum(${rate('forebay_retries_total')})`, legend: 'retried' },
      { expr: `sum(${rate('forebay_dead_total')})`, legend: 'dead' },
      { expr: `sum(${rate('forebay_dead_refused_total')})`, legend: 'put off' },
    ],
    { overrides: [colour(/^dead$/, 'red')] },
  ),
  lines(
    {
      title: 'Dead letters kept',
      description: 'And --dead-max, above which orders that fail for good stay in the journal.',
      unit: ORDERS,
    },
    [
      { expr: of('forebay_dead_letters'), legend: 'kept {{instance}}' },
      { expr: of('forebay_dead_letters_max'), legend: 'most {{instance}}' },
    ],
    { overrides: [bound(/^most/)] },
  ),
  lines(
    {
      title: 'Commits without an acknowledgement',
      description:
        'Frames a second that a journal refused (503, nothing kept) or of which nobody knows (the connection is closed without an answer).',
      unit: 'ops',
    },
    [
      {
        expr: `sum by (reason) (${rate('forebay_commit_failures_total')})`,
        legend: '{{reason}}',
      },
    ],
  ),
  lines(
    {
      title: 'Clients gone, threads dead',
      description:
        'Requests whose client went away before the answer; threads that died and were replaced.',
      unit: 'ops',
    },
    [
      { expr: `sum(${rate('forebay_aborted_requests_total')})`, legend: 'clients gone' },
      { expr: `sum(${rate('forebay_intake_thread_restarts_total')})`, legend: 'intake threads' },
      { expr: `sum(${rate('forebay_handler_thread_deaths_total')})`, legend: 'pool threads' },
    ],
  ),
  lines(
    {
      title: 'Messages that are no frames',
      description:
        'A second, found in the journal of NATS: somebody else publishes there. Nothing of it is processed: ForebayForeignMessages.',
      unit: 'ops',
    },
    [
      {
        expr: `sum by (instance) (${rate('forebay_foreign_messages_total')})`,
        legend: '{{instance}}',
      },
    ],
  ),
  lines(
    {
      title: 'Durability class',
      description:
        'Instances by what an accepted order survives. A change that nobody made on purpose is a fault: ForebayDurabilityFallen.',
      unit: 'short',
    },
    [
      {
        expr: `count by (class) (${of('forebay_durability_info')})`,
        legend: '{{class}}',
      },
    ],
    {
      stacked: true,
      overrides: [
        colour(/^(fsync|replicated)$/, 'green'),
        colour(/^(os|unknown)$/, 'orange'),
        colour(/^none$/, 'blue'),
      ],
    },
  ),
  lines(
    {
      title: 'Idempotency keys',
      description:
        'Keys that are remembered; above --idempotency-keys-max orders with one get 503.',
      unit: 'suffix: keys',
    },
    [{ expr: of('forebay_idempotency_keys'), legend: '{{instance}}' }],
  ),
  lines(
    {
      title: 'Orders sent again',
      description:
        'Requests a second whose idempotency key was known and that were answered as before, and those refused because too many keys are remembered.',
      unit: 'reqps',
    },
    [
      { expr: `sum(${rate('forebay_idempotent_replays_total')})`, legend: 'answered as before' },
      { expr: `sum(${rate('forebay_idempotency_refused_total')})`, legend: 'refused' },
    ],
  ),
  lines(
    {
      title: 'Version',
      description: 'Instances by what is running: a rollout that got stuck shows as two lines.',
      unit: 'short',
    },
    [
      {
        expr: `count by (version, node, mode, journal) (${of('forebay_build_info')})`,
        legend: '{{version}}, Node {{node}}, {{mode}}, {{journal}}',
      },
    ],
  ),
];

function share(statuses: string): string {
  const all = `sum(${rate('forebay_http_responses_total')})`;
  return `sum(${rate('forebay_http_responses_total', `status=~"${statuses}"`)}) / (${all} > 0)`;
}
