/** Forebay's dashboard: what stands where. Written to monitoring/grafana/dashboards by `npm run docs`. */
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
import { latency, sizes } from './latency.js';
import { nats } from './nats.js';
import { DATASOURCE, type Unplaced } from './panel.js';
import { threads } from './threads.js';
import { trouble } from './trouble.js';
import { now, wave } from './wave.js';

const COLUMNS = 24;

const ROWS: readonly (readonly [title: string, panels: readonly Unplaced[]])[] = [
  ['Now', now],
  ['The wave', wave],
  ['Latency', latency],
  ['Backlog and drain', backlog],
  ['Threads', threads],
  ['Frames and batches', sizes],
  ['What should be zero', trouble],
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
    description: '--nats-stream; those of its ledger and dead letters begin with the same name',
    type: 'textbox',
    query: 'FOREBAY',
    current: { text: 'FOREBAY', value: 'FOREBAY' },
  },
];

export const dashboard: Dashboard = {
  uid: 'forebay',
  title: 'Forebay',
  description: 'Order intake: the wave in, the flat line out, and what is between the two.',
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

/** As it stands in the file. */
export function dashboardJson(): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

/** Rows one below the other, and in each the panels from left to right as far as they fit. */
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
