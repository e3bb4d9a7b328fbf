/** What waits, how fast it goes, and when it will be gone. */
import { lines } from './kinds.js';
import { bound, ORDERS, ORDERS_PER_SECOND, of, rate, type Unplaced } from './panel.js';

const DONE = `sum without (status) (${rate('work_done_total')})`;
const ACCEPTED = rate('forebay_orders_accepted_total');

export const backlog: readonly Unplaced[] = [
  lines(
    {
      title: 'Backlog',
      description:
        'Orders accepted and not yet processed, those of them that are in the local spool, and of these the ones that NATS refuses for what they are. It may rise in a peak; it must be gone before the next.',
      unit: ORDERS,
    },
    [
      { expr: of('forebay_journal_pending_orders'), legend: 'waiting {{instance}}' },
      { expr: of('forebay_spool_orders'), legend: 'in the spool {{instance}}' },
      { expr: of('forebay_spool_unfit_orders'), legend: 'refused for good {{instance}}' },
    ],
  ),
  lines(
    {
      title: 'In and out',
      description:
        'Orders accepted and orders processed a second, and --drain-rate where there is one. The backlog grows while the first is above the second.',
      unit: ORDERS_PER_SECOND,
    },
    [
      { expr: ACCEPTED, legend: 'accepted {{instance}}' },
      { expr: DONE, legend: 'processed {{instance}}' },
      { expr: `${of('forebay_drain_rate')} > 0`, legend: 'bound {{instance}}' },
    ],
    { overrides: [bound(/^bound/)] },
  ),
  lines(
    {
      title: 'Time until the backlog is gone',
      description:
        'At the present rates: as it is, while more comes in (no line: it does not shrink); and if nothing more came.',
      unit: 's',
    },
    [
      {
        expr: `${of('forebay_journal_pending_orders')} / (${DONE} - ${ACCEPTED} > 0)`,
        legend: 'as it is {{instance}}',
      },
      {
        expr: `${of('forebay_journal_pending_orders')} / (${DONE} > 0)`,
        legend: 'if nothing came {{instance}}',
      },
    ],
  ),
  lines(
    {
      title: 'Oldest order',
      description: 'Age of the order that has waited longest; the alert ForebayOrdersOld is on it.',
      unit: 's',
    },
    [{ expr: of('forebay_journal_oldest_age_seconds'), legend: '{{instance}}' }],
  ),
  lines(
    {
      title: 'Spool',
      description:
        'Orders that the local spool took because NATS did not, and those that NATS has taken over from it since.',
      unit: ORDERS_PER_SECOND,
    },
    [
      { expr: rate('forebay_spooled_orders_total'), legend: 'in {{instance}}' },
      { expr: rate('forebay_spool_forwarded_orders_total'), legend: 'out {{instance}}' },
    ],
  ),
  lines(
    {
      title: 'Spool in use',
      description:
        'Share of --spool-orders-max. When it is full, clients get 503; the alert ForebaySpoolFilling is on it.',
      unit: 'percentunit',
    },
    [
      {
        expr: `${of('forebay_spool_orders')} / (${of('forebay_spool_orders_max')} > 0)`,
        legend: '{{instance}}',
      },
    ],
    { max: 1 },
  ),
  lines(
    {
      title: 'Waiting for an answer',
      description:
        'Orders received whose frame is not durable yet. Above --waiting-orders-max a thread answers 503.',
      unit: ORDERS,
    },
    [{ expr: of('forebay_waiting_orders'), legend: '{{instance}}' }],
  ),
];
