/** Errors and unusual events: normally these panels are at zero or constant. */
import { lines } from './kinds.js';
import { colour, limitLine, ORDERS, ORDERS_PER_SECOND, of, rate, type Unplaced } from './panel.js';

export const errors: readonly Unplaced[] = [
  lines(
    {
      title: 'Responses other than 200',
      description:
        'Share of all responses: refused (5xx: above the limit, or busy), and invalid orders (4xx).',
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
        'Orders retried after a failed attempt, orders that became dead letters, and orders that stay in the journal because there are too many dead letters.',
      unit: ORDERS_PER_SECOND,
    },
    [
      { expr: `sum(${rate('forebay_retries_total')})`, legend: 'retried' },
      { expr: `sum(${rate('forebay_dead_total')})`, legend: 'dead' },
      { expr: `sum(${rate('forebay_dead_refused_total')})`, legend: 'refused as dead letter' },
    ],
    { overrides: [colour(/^dead$/, 'red')] },
  ),
  lines(
    {
      title: 'Failed attempts by reason',
      description:
        'Attempts per second that failed, by the reason that the handler gave, or what went wrong: the order is tried again, becomes a dead letter, or is refused in direct mode.',
      unit: 'ops',
    },
    [
      {
        expr: `sum by (outcome, reason) (${rate('forebay_failed_attempts_total')}) > 0`,
        legend: '{{outcome}}: {{reason}}',
      },
    ],
  ),
  lines(
    {
      title: 'Dead letters and maximum',
      description:
        'Dead letters, and --dead-max: above it, orders that fail permanently stay in the journal.',
      unit: ORDERS,
    },
    [
      { expr: of('forebay_dead_letters'), legend: 'dead letters {{instance}}' },
      { expr: of('forebay_dead_letters_max'), legend: 'maximum {{instance}}' },
    ],
    { overrides: [limitLine(/^maximum/)] },
  ),
  lines(
    {
      title: 'Responses by API key',
      description:
        'Responses per second to requests with a key of --api-keys: accepted, limited (429) or refused. Alert for a file that is not used: ForebaySendersRefused.',
      unit: 'ops',
    },
    [
      {
        expr: `sum by (key, outcome) (${rate('forebay_key_responses_total')}) > 0`,
        legend: '{{key}} {{outcome}}',
      },
      { expr: of('forebay_sender_files_refused'), legend: 'files not used {{instance}}' },
    ],
  ),
  lines(
    {
      title: 'Damaged orders',
      description:
        'What cannot be read in the data folder: rows of the journal, and files in its folder damaged. forebay dlq unreadable lists them.',
      unit: 'short',
    },
    [
      { expr: of('forebay_unreadable_rows'), legend: 'rows {{instance}}' },
      { expr: of('forebay_damaged_files'), legend: 'files {{instance}}' },
    ],
    { overrides: [colour(/^(rows|files)/, 'red')] },
  ),
  lines(
    {
      title: 'Failed commits',
      description:
        'Frames per second that a journal refused (clients get 503), or did not confirm (ambiguous: connections are closed without a response).',
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
      title: 'Aborted requests, thread restarts and stray errors',
      description:
        'Requests whose client disconnected before the response, threads that died and were replaced, errors of the handler that no running call made, and orders that run alone because a process died while they were in progress.',
      unit: 'ops',
    },
    [
      { expr: `sum(${rate('forebay_aborted_requests_total')})`, legend: 'aborted requests' },
      { expr: `sum(${rate('forebay_withdrawn_orders_total')})`, legend: 'withdrawn orders' },
      { expr: `sum(${rate('forebay_intake_thread_restarts_total')})`, legend: 'intake threads' },
      { expr: `sum(${rate('forebay_handler_thread_deaths_total')})`, legend: 'pool threads' },
      {
        expr: `sum(${rate('forebay_handler_stray_errors_total')})`,
        legend: 'stray errors of the handler',
      },
      { expr: `sum(${rate('forebay_suspect_runs_total')})`, legend: 'suspects run alone' },
    ],
  ),
  lines(
    {
      title: 'Connections',
      description:
        'Open connections of clients. Per second: those refused because of --connections-max or --connections-per-address-max, those closed because the client does not read its responses, and requests refused because bodies that arrive slowly use all the memory that they may. Alert: ForebayConnectionsRefused.',
      unit: 'short',
    },
    [
      { expr: of('forebay_open_connections'), legend: 'open {{instance}}' },
      {
        expr: `sum by (limit) (${rate('forebay_connections_refused_total')})`,
        legend: 'refused, {{limit}}',
      },
      { expr: `sum(${rate('forebay_unread_connections_total')})`, legend: 'not reading' },
      { expr: `sum(${rate('forebay_bodies_refused_total')})`, legend: 'slow bodies refused' },
    ],
    { overrides: [colour(/^refused/, 'red')] },
  ),
  lines(
    {
      title: 'Foreign messages',
      description:
        'Messages per second in the stream that are not frames: another program publishes there. They are not processed. Alert: ForebayForeignMessages.',
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
        'Instances by what an accepted order survives. A change that was not intended is a fault. Alert: ForebayDurabilityFallen.',
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
      description: 'Stored keys. Above --idempotency-keys-max, orders with a key get 503.',
      unit: 'suffix: keys',
    },
    [{ expr: of('forebay_idempotency_keys'), legend: '{{instance}}' }],
  ),
  lines(
    {
      title: 'Repeated orders',
      description:
        'Requests per second whose idempotency key was known and that got the first response again, and requests refused because too many keys are stored.',
      unit: 'reqps',
    },
    [
      { expr: `sum(${rate('forebay_idempotent_replays_total')})`, legend: 'repeated' },
      { expr: `sum(${rate('forebay_idempotency_refused_total')})`, legend: 'refused' },
    ],
  ),
  lines(
    {
      title: 'Version',
      description: 'Instances by version and mode. Two lines mean an unfinished rollout.',
      unit: 'short',
    },
    [
      {
        expr: `count by (version, node, mode, journal, path, schema) (${of('forebay_build_info')})`,
        legend: '{{version}}, Node {{node}}, {{mode}}, {{journal}}',
      },
    ],
  ),
];

function share(statuses: string): string {
  const all = `sum(${rate('forebay_http_responses_total')})`;
  return `sum(${rate('forebay_http_responses_total', `status=~"${statuses}"`)}) / (${all} > 0)`;
}
