import type { LiveFacts, LiveRow } from '../../model/live.js';
import { amount, count, duration, orDash } from './format.js';
import type { Item, View } from './legend.js';
import type { PanelSpec } from './panel.js';
import { columnsOf, stackedColumns, withConstants } from './rows.js';
import { meanFrame, perSecond, quantile, total } from './statistics.js';

/** Counts a row's responses with a matching status. */
function answersWhere({ statuses }: LiveFacts, matches: (status: number) => boolean) {
  const indexes = statuses.flatMap((status, i) => (matches(status) ? [i] : []));
  return (row: LiveRow) => indexes.reduce((sum, i) => sum + row.answers[i], 0);
}

const is200 = (status: number) => status === 200;
const is4xx = (status: number) => status >= 400 && status < 500;
const is503 = (status: number) => status === 503;
const is500 = (status: number) => status === 500;

/** Shown even if there are none. */
const STATUSES_ALWAYS = [200, 500, 503];

function noRequests({ rows }: View): string {
  return rows.every(({ answers }) => total(answers) === 0) ? 'No requests in this time.' : '';
}

export function answersPanel(facts: LiveFacts): PanelSpec {
  const item = (status: number): Item => {
    const at = facts.statuses.indexOf(status);
    return {
      label: String(status),
      color: is200(status) ? 'ok' : is503(status) ? 'busy' : is500(status) ? 'refused' : 'client',
      value: ({ row }) => `${amount(perSecond(row.answers[at], row))}/s`,
      total: {
        series: `forebay_http_responses_total{status="${status}"}`,
        value: ({ now }) => count(now.answers[at]),
      },
      isIdle: ({ now }) => !STATUSES_ALWAYS.includes(status) && now.answers[at] === 0,
    };
  };
  const layers = [is500, is503, is4xx, is200].map((matches) => answersWhere(facts, matches));
  return {
    id: 'answers',
    items: facts.statuses.toSorted((a, b) => a - b).map(item),
    chart: {
      lines: [
        { color: 'refused', filled: true },
        { color: 'busy', filled: true },
        { color: 'client', filled: true },
        { color: 'ok', filled: true },
      ],
      topMin: 4,
    },
    columns: ({ rows }) => stackedColumns(rows, layers),
    empty: noRequests,
  };
}

export function workPanel(): PanelSpec {
  const rate = (row: LiveRow) => (row.drainRate === 0 ? null : row.drainRate);
  return {
    id: 'work',
    items: [
      {
        label: 'done',
        color: 'done',
        value: ({ row }) => `${amount(perSecond(row.done, row))}/s`,
        total: { series: 'work_done_total{status="done"}', value: ({ now }) => count(now.done) },
      },
      {
        label: 'error',
        color: 'refused',
        value: ({ row }) => `${amount(perSecond(row.failed, row))}/s`,
        total: { series: 'work_done_total{status="error"}', value: ({ now }) => count(now.failed) },
      },
      {
        label: 'retries',
        total: { series: 'forebay_retries_total', value: ({ now }) => count(now.retries) },
        isIdle: ({ now }) => now.retries === 0,
      },
      {
        label: 'drain rate',
        color: 'limit',
        dashed: true,
        value: ({ row }) => (row.drainRate === 0 ? 'no limit' : `${amount(row.drainRate)}/s`),
        isIdle: ({ rows }) => rows.every(({ drainRate }) => drainRate === 0),
      },
    ],
    chart: {
      lines: [
        { color: 'refused', filled: true },
        { color: 'done', filled: true },
        { color: 'limit', dashed: true },
      ],
      topMin: 4,
    },
    columns: ({ rows }) => {
      const work = stackedColumns(rows, [({ failed }) => failed, ({ done }) => done]);
      const [, limit] = columnsOf(rows, [rate]);
      return [...work, limit];
    },
    empty: ({ facts, rows }) => {
      if (rows.some(({ done, failed }) => done + failed > 0)) return '';
      return facts.drains
        ? 'No orders processed in this time.'
        : 'This process runs with --drain off.';
    },
  };
}

export function backlogPanel(): PanelSpec {
  return {
    id: 'backlog',
    items: [
      {
        label: 'waiting',
        color: 'backlog',
        value: ({ row }) => count(row.pendingOrders),
      },
      {
        label: 'oldest',
        color: 'age',
        value: ({ row }) => duration(row.oldestAgeSeconds),
      },
    ],
    chart: {
      lines: [
        { color: 'backlog', filled: true },
        { color: 'age', right: true },
      ],
      right: duration,
      topMin: 10,
    },
    columns: ({ rows }) =>
      columnsOf(rows, [(row) => row.pendingOrders, (row) => row.oldestAgeSeconds]),
    empty: ({ rows }) =>
      rows.every(({ pendingOrders }) => pendingOrders === 0) ? 'No backlog in this time.' : '',
  };
}

export function requestsPanel({ rpsLimit }: LiveFacts): PanelSpec {
  return {
    id: 'requests',
    items: [
      {
        label: 'requests',
        color: 'rate',
        value: ({ row }) => `${count(row.rps)}/s`,
      },
      {
        label: 'limit',
        ...(rpsLimit === 0 ? {} : { color: 'limit' as const, dashed: true }),
        value: () => (rpsLimit === 0 ? 'none' : `${count(rpsLimit)}/s`),
      },
      {
        label: 'not answered yet',
        total: { series: 'forebay_waiting_orders', value: ({ now }) => count(now.waitingOrders) },
      },
      {
        label: 'client disconnected',
        total: { series: 'forebay_aborted_requests_total', value: ({ now }) => count(now.aborted) },
        isIdle: ({ now }) => now.aborted === 0,
      },
    ],
    chart: {
      lines: [
        { color: 'rate' },
        ...(rpsLimit === 0 ? [] : [{ color: 'limit' as const, dashed: true }]),
      ],
      topMin: 4,
    },
    columns: ({ rows }) =>
      withConstants(columnsOf(rows, [(row) => row.rps]), rpsLimit === 0 ? [] : [rpsLimit]),
    empty: noRequests,
  };
}

export function framesPanel({ bounds }: LiveFacts): PanelSpec {
  const largest = ({ frameOrders }: LiveRow) =>
    total(frameOrders) === 0 ? null : quantile(1, bounds.frameOrders, frameOrders);
  return {
    id: 'frames',
    items: [
      {
        label: 'mean',
        color: 'load',
        value: ({ row }) => orDash(meanFrame(row), amount),
      },
      {
        label: 'max',
        color: 'age',
        value: ({ row }) => orDash(largest(row), (orders) => `≤ ${count(orders)}`),
      },
      {
        label: 'frames',
        total: { series: 'forebay_frames_committed_total', value: ({ now }) => count(now.frames) },
      },
    ],
    chart: { lines: [{ color: 'age' }, { color: 'load' }], topMin: 2 },
    columns: ({ rows }) => columnsOf(rows, [largest, meanFrame]),
    empty: ({ rows }) =>
      rows.every(({ frameOrders }) => total(frameOrders) === 0) ? 'No frames in this time.' : '',
  };
}
