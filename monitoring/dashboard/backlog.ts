/** How many orders wait, how fast they are processed, and when the backlog will be gone. */
import { lines } from './kinds.js';
import { limitLine, ORDERS, ORDERS_PER_SECOND, of, rate, type Unplaced } from './panel.js';

const DONE = `sum without (status) (${rate('work_done_total')})`;
const ACCEPTED = rate('forebay_orders_accepted_total');

export const backlog: readonly Unplaced[] = [
  lines(
    {
      title: 'Backlog',
      description:
        'Orders accepted and not yet processed; how many of them are in the local spool; and how many of those NATS rejects permanently. The backlog may grow in a peak and must be gone before the next one.',
      unit: ORDERS,
    },
    [
      { expr: of('forebay_journal_pending_orders'), legend: 'waiting {{instance}}' },
      { expr: of('forebay_spool_orders'), legend: 'in spool {{instance}}' },
      { expr: of('forebay_spool_unfit_orders'), legend: 'rejected {{instance}}' },
    ],
  ),
  lines(
    {
      title: 'In and out',
      description:
        'Orders accepted and processed per second, and --drain-rate if it is set. The backlog grows while more are accepted than processed.',
      unit: ORDERS_PER_SECOND,
    },
    [
      { expr: ACCEPTED, legend: 'accepted {{instance}}' },
      { expr: DONE, legend: 'processed {{instance}}' },
      { expr: `${of('forebay_drain_rate')} > 0`, legend: 'drain rate {{instance}}' },
    ],
    { overrides: [limitLine(/^drain rate/)] },
  ),
  lines(
    {
      title: 'Time until the backlog is gone',
      description:
        'At the current rates, with new orders (no line: the backlog does not shrink), and without new orders.',
      unit: 's',
    },
    [
      {
        expr: `${of('forebay_journal_pending_orders')} / (${DONE} - ${ACCEPTED} > 0)`,
        legend: 'with new orders {{instance}}',
      },
      {
        expr: `${of('forebay_journal_pending_orders')} / (${DONE} > 0)`,
        legend: 'without new orders {{instance}}',
      },
    ],
  ),
  lines(
    {
      title: 'Backlog gone, and end of the window',
      description:
        'How long until the backlog is gone by rate and --drain-schedule, and until the window in force ends. Alert: ForebayWindowTooShort.',
      unit: 's',
    },
    [
      {
        expr: `(${of('forebay_backlog_gone_timestamp_seconds')} > 0) - time() < Inf`,
        legend: 'backlog gone {{instance}}',
      },
      {
        expr: `${of('forebay_drain_window_end_timestamp_seconds')} - time() < Inf`,
        legend: 'end of the window {{instance}}',
      },
    ],
    { overrides: [limitLine(/^end of/)] },
  ),
  lines(
    {
      title: 'Oldest order',
      description: 'Age of the order that has waited longest. Alert: ForebayOrdersOld.',
      unit: 's',
    },
    [{ expr: of('forebay_journal_oldest_age_seconds'), legend: '{{instance}}' }],
  ),
  lines(
    {
      title: 'Spool',
      description:
        'Orders that went to the local spool because NATS did not accept them, and orders forwarded from it to NATS.',
      unit: ORDERS_PER_SECOND,
    },
    [
      { expr: rate('forebay_spooled_orders_total'), legend: 'in {{instance}}' },
      { expr: rate('forebay_spool_forwarded_orders_total'), legend: 'out {{instance}}' },
    ],
  ),
  lines(
    {
      title: 'Spool usage',
      description:
        'Share of --spool-orders-max. When it is full, clients get 503. Alert: ForebaySpoolFilling.',
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
      title: 'Disk',
      description:
        'Free bytes of the file system of --data, its size, and the bytes of the journal: its files, or with NATS the stream of orders. Below 32 MiB free, orders are refused. Alerts: ForebayDiskFull, ForebayDiskFills, ForebayJournalLarge.',
      unit: 'bytes',
    },
    [
      { expr: of('forebay_disk_free_bytes'), legend: 'free {{instance}}' },
      { expr: of('forebay_disk_size_bytes'), legend: 'size {{instance}}' },
      { expr: of('forebay_journal_bytes'), legend: 'journal {{instance}}' },
    ],
    { overrides: [limitLine(/^size/)] },
  ),
  lines(
    {
      title: 'Waiting for a response',
      description:
        'Orders received whose frame is not durable yet. Above --waiting-orders-max new orders get 503.',
      unit: ORDERS,
    },
    [{ expr: of('forebay_waiting_orders'), legend: '{{instance}}' }],
  ),
];
