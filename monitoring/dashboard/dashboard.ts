/** The Grafana dashboard. `npm run docs` writes it to monitoring/grafana/dashboards. */
import {
  type Dashboard,
  DashboardCursorSync,
  type Panel,
  type RowPanel,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/schema';
import { backlog } from './backlog.js';
import { errors } from './errors.js';
import { latency, sizes } from './latency.js';
import { nats } from './nats.js';
import { DATASOURCE, type Unplaced } from './panel.js';
import { threads } from './threads.js';
import { now, wave } from './wave.js';

const COLUMNS = 24;

const ROWS: readonly (readonly [title: string, panels: readonly Unplaced[]])[] = [
  ['Now', now],
  ['Wave', wave],
  ['Latency', latency],
  ['Backlog and drain', backlog],
  ['Threads', threads],
  ['Frames and batches', sizes],
  ['Errors', errors],
  ['NATS', nats],
];

const variables: VariableModel[] = [
  {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    refresh: VariableRefresh.onDashboardLoad,
  },
  {
    name: 'instance',
    label: 'Instance',
    type: 'query',
    datasource: DATASOURCE,
    query: { query: 'label_values(forebay_build_info, instance)', refId: 'instances' },
    refresh: VariableRefresh.onTimeRangeChanged,
    sort: VariableSort.alphabeticalAsc,
    includeAll: true,
    multi: true,
    allValue: '.+',
    current: { text: ['All'], value: ['$__all'] },
  },
  {
    name: 'stream',
    label: 'Stream',
    description: '--nats-stream. The names of its ledger and dead letter streams begin with it',
    type: 'textbox',
    query: 'FOREBAY',
    current: { text: 'FOREBAY', value: 'FOREBAY' },
  },
];

export const dashboard: Dashboard = {
  uid: 'forebay',
  title: 'Forebay',
  description: 'Order intake: orders in, orders out, and the queue between them.',
  tags: ['forebay'],
  schemaVersion: 42,
  editable: true,
  graphTooltip: DashboardCursorSync.Crosshair,
  refresh: '5s',
  time: { from: 'now-15m', to: 'now' },
  timezone: 'browser',
  annotations: { list: [] },
  templating: { list: variables },
  panels: placed(),
};

/** The content of the file. */
export function dashboardJson(): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

/** Places the panels of each row from left to right, on as many lines as they need. */
function placed(): (Panel | RowPanel)[] {
  const all: (Panel | RowPanel)[] = [];
  let y = 0;
  for (const [title, panels] of ROWS) {
    const gridPos = { x: 0, y: y++, w: COLUMNS, h: 1 };
    all.push({ type: 'row', id: all.length + 1, title, collapsed: false, gridPos, panels: [] });
    let x = 0;
    let lineHeight = 0;
    for (const { panel, width, height } of panels) {
      if (x + width > COLUMNS) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      const place = { x, y, w: width, h: height };
      all.push({ ...panel, id: all.length + 1, gridPos: place, options: { ...panel.options } });
      x += width;
      lineHeight = Math.max(lineHeight, height);
    }
    y += lineHeight;
  }
  return all;
}
