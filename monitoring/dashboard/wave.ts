/** The assignment's two pictures, and what an operator reads first. */
import type { FieldConfig } from '@grafana/schema';
import { lines, stat, yesOrNo } from './kinds.js';
import { bound, colour, ORDERS_PER_SECOND, of, rate, thresholds, type Unplaced } from './panel.js';

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
        'Answers to clients a second, by HTTP status. 200 is an order that was accepted; 500 is above --rps-limit; 503 was not taken and is to be sent again; 4xx is no valid order.',
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
        'Orders processed a second: done, or given up for good (error). With a queue and --drain-rate it is flat while the wave comes and goes; without, it follows the wave.',
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
      title: 'RPS against the limit',
      description:
        'Requests received in the last second, as the server itself measures it, and --rps-limit where there is one: what is above is answered 500.',
      unit: 'reqps',
    },
    [
      { expr: of('forebay_rps'), legend: '{{instance}}' },
      { expr: `${of('forebay_rps_limit')} > 0`, legend: 'limit {{instance}}' },
    ],
    { width: 12, overrides: [bound(/^limit/)] },
  ),
  lines(
    {
      title: 'Work Done, in total',
      description:
        'Orders through since the start: the counter that grows with each success, beside the orders accepted. The distance between the two is the backlog.',
      unit: 'short',
    },
    [
      { expr: `sum by (status) (${of('work_done_total')})`, legend: '{{status}}' },
      { expr: `sum(${of('forebay_orders_accepted_total')})`, legend: 'accepted' },
    ],
    { width: 12, overrides: [colour(/^done$/, 'green'), colour(/^error$/, 'red')] },
  ),
];

/** A number for each thing that can wake somebody. */
export const now: readonly Unplaced[] = [
  stat(
    {
      title: 'Takes orders',
      description: 'The least of all instances: 0 when one refuses orders; its /readyz says why.',
      unit: 'short',
    },
    { expr: `min(${of('forebay_ready')})`, legend: 'ready' },
    { ...yesOrNo('yes', 'NO'), ...reddens() },
  ),
  stat(
    {
      title: 'Journal answers',
      description: 'No while one instance cannot reach NATS: orders go to its spool meanwhile.',
      unit: 'short',
    },
    { expr: `min(${of('forebay_journal_reachable')})`, legend: 'reachable' },
    { ...yesOrNo('yes', 'NO'), ...reddens() },
  ),
  stat(
    {
      title: 'Handler',
      description: 'Waits while what the handler needs, its database say, is away.',
      unit: 'short',
    },
    { expr: `max(${of('forebay_drain_paused')})`, legend: 'paused' },
    { ...yesOrNo('WAITS', 'runs'), ...thresholds([1, 'red']) },
  ),
  stat(
    {
      title: 'Survives',
      description:
        'What an accepted order survives, by instance: fsync a power cut, replicated the loss of a server, os only the death of the process. See docs/reference/guarantees.md.',
      unit: 'short',
    },
    { expr: `count by (class) (${of('forebay_durability_info')})`, legend: '{{class}}' },
    thresholds(),
    'name',
  ),
  stat(
    {
      title: 'Orders waiting',
      description: 'Orders accepted and not yet processed, all instances that drain.',
      unit: 'short',
    },
    { expr: `sum(${of('forebay_journal_pending_orders')})`, legend: 'orders' },
    thresholds(),
  ),
  stat(
    {
      title: 'Longest wait',
      description: 'How long the order that has waited longest has waited.',
      unit: 's',
    },
    { expr: `max(${of('forebay_journal_oldest_age_seconds')})`, legend: 'age' },
    thresholds([300, 'yellow'], [900, 'red']),
  ),
  stat(
    {
      title: 'Dead letters',
      description: 'Orders that failed for good and are kept; look at them with forebay dlq list.',
      unit: 'short',
    },
    { expr: `max(${of('forebay_dead_letters')})`, legend: 'kept' },
    thresholds([1, 'yellow']),
  ),
  stat(
    {
      title: 'In the spool',
      description: 'Orders that wait in a local spool until NATS takes them.',
      unit: 'short',
    },
    { expr: `sum(${of('forebay_spool_orders')})`, legend: 'orders' },
    thresholds([1, 'yellow']),
  ),
];

/** Red at 0, green from 1 on. */
function reddens(): Pick<FieldConfig, 'thresholds'> {
  const { thresholds: turned } = thresholds([1, 'green']);
  const [base, ...rest] = turned!.steps;
  return { thresholds: { ...turned!, steps: [{ ...base!, color: 'red' }, ...rest] } };
}
