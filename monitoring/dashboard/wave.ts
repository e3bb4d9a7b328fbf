/** Orders in and out, and the numbers that an operator reads first. */
import type { FieldConfig } from '@grafana/schema';
import { lines, stat, yesOrNo } from './kinds.js';
import {
  colour,
  limitLine,
  ORDERS_PER_SECOND,
  of,
  rate,
  thresholds,
  type Unplaced,
} from './panel.js';

const STATUS_COLOURS = [
  colour(/^200$/, 'green'),
  colour(/^4\d\d$/, 'yellow'),
  colour(/^5\d\d$/, 'red'),
];

export const wave: readonly Unplaced[] = [
  lines(
    {
      title: 'Diff By Status',
      description:
        'Responses per second by HTTP status. 200: accepted; 500: above --rps-limit; 503: not accepted, the client should retry; 4xx: invalid.',
      unit: 'reqps',
    },
    [
      {
        expr: `sum by (status) (${rate('forebay_http_responses_total')})`,
        legend: '{{status}}',
      },
    ],
    { width: 12, stacked: true, overrides: STATUS_COLOURS },
  ),
  lines(
    {
      title: 'Work Done by status',
      description:
        'Orders processed per second: done, or failed permanently (error). With a queue and --drain-rate it is flat during a wave; otherwise it follows the wave.',
      unit: ORDERS_PER_SECOND,
    },
    [{ expr: `sum by (status) (${rate('work_done_total')})`, legend: '{{status}}' }],
    {
      width: 12,
      stacked: true,
      overrides: [colour(/^done$/, 'green'), colour(/^error$/, 'red')],
    },
  ),
  lines(
    {
      title: 'RPS and limit',
      description:
        'Requests in the last second, as measured by the server, and --rps-limit if it is set: requests above it get 500.',
      unit: 'reqps',
    },
    [
      { expr: of('forebay_rps'), legend: '{{instance}}' },
      { expr: `${of('forebay_rps_limit')} > 0`, legend: 'limit {{instance}}' },
    ],
    { width: 12, overrides: [limitLine(/^limit/)] },
  ),
  lines(
    {
      title: 'Work Done, total',
      description: 'Orders processed and accepted since the start. The difference is the backlog.',
      unit: 'short',
    },
    [
      { expr: `sum by (status) (${of('work_done_total')})`, legend: '{{status}}' },
      { expr: `sum(${of('forebay_orders_accepted_total')})`, legend: 'accepted' },
    ],
    { width: 12, overrides: [colour(/^done$/, 'green'), colour(/^error$/, 'red')] },
  ),
];

/** One number for each reason to act. */
export const now: readonly Unplaced[] = [
  stat(
    {
      title: 'Accepts orders',
      description: 'NO if an instance refuses orders; its /readyz has the reason.',
      unit: 'short',
    },
    { expr: `min(${of('forebay_ready')})`, legend: 'ready' },
    { ...yesOrNo('yes', 'NO'), ...redAtZero() },
  ),
  stat(
    {
      title: 'Journal works',
      description:
        'NO if an instance cannot reach NATS, so that its orders go to the spool, or if a setting or limit of NATS keeps orders waiting.',
      unit: 'short',
    },
    {
      expr: `min(${of('forebay_journal_reachable')} - ${of('forebay_journal_degraded')})`,
      legend: 'works',
    },
    { ...yesOrNo('yes', 'NO'), ...redAtZero() },
  ),
  stat(
    {
      title: 'Handler',
      description: 'PAUSED if something that the handler needs is down, for example its database.',
      unit: 'short',
    },
    { expr: `max(${of('forebay_drain_paused')})`, legend: 'paused' },
    { ...yesOrNo('PAUSED', 'runs'), ...thresholds([1, 'red']) },
  ),
  stat(
    {
      title: 'Durability',
      description:
        'What accepted orders survive. fsync: a power failure; replicated: the loss of a server; os: only a crash of the process. See docs/reference/guarantees.md.',
      unit: 'short',
    },
    { expr: `count by (class) (${of('forebay_durability_info')})`, legend: '{{class}}' },
    thresholds(),
    'name',
  ),
  stat(
    {
      title: 'Orders waiting',
      description: 'Orders accepted and not yet processed, of all instances.',
      unit: 'short',
    },
    { expr: `sum(${of('forebay_journal_pending_orders')})`, legend: 'orders' },
    thresholds(),
  ),
  stat(
    {
      title: 'Longest wait',
      description: 'Age of the order that has waited longest.',
      unit: 's',
    },
    { expr: `max(${of('forebay_journal_oldest_age_seconds')})`, legend: 'age' },
    thresholds([300, 'yellow'], [900, 'red']),
  ),
  stat(
    {
      title: 'Dead letters',
      description: 'Orders that failed permanently. Show them with forebay dlq list.',
      unit: 'short',
    },
    { expr: `max(${of('forebay_dead_letters')})`, legend: 'dead letters' },
    thresholds([1, 'yellow']),
  ),
  stat(
    {
      title: 'In the spool',
      description: 'Orders in a local spool, waiting for NATS.',
      unit: 'short',
    },
    { expr: `sum(${of('forebay_spool_orders')})`, legend: 'orders' },
    thresholds([1, 'yellow']),
  ),
];

/** Red at 0, green from 1 on. */
function redAtZero(): Pick<FieldConfig, 'thresholds'> {
  const { thresholds: usual } = thresholds([1, 'green']);
  const [base, ...rest] = usual!.steps;
  return { thresholds: { ...usual!, steps: [{ ...base!, color: 'red' }, ...rest] } };
}
