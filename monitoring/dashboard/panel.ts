/** What all panels have in common. The types are Grafana's. */
import {
  FieldColorModeId,
  type FieldConfig,
  type FieldConfigSource,
  type Panel,
  ThresholdsMode,
} from '@grafana/schema';

/** A Prometheus query. `legend` is a template with labels in `{{ }}`. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** The texts of a panel; all are required. */
export interface PanelText {
  readonly title: string;
  /** What it shows, and which values are bad. */
  readonly description: string;
  /** A Grafana unit id, or `suffix: …`. */
  readonly unit: string;
}

/** A panel without its position and id. */
export interface Unplaced {
  readonly panel: Omit<Panel, 'options'> & { readonly options: object };
  /** In columns, of 24. */
  readonly width: number;
  readonly height: number;
}

export const ORDERS_PER_SECOND = 'suffix: orders/s';
export const ORDERS = 'suffix: orders';

/** A variable, so that the dashboard can be imported into any Grafana. */
export const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

/** A selector for the chosen instances. @param more further label matchers */
export function of(metric: string, more = ''): string {
  return `${metric}{instance=~"$instance"${more === '' ? '' : `, ${more}`}}`;
}

/** The increase per second. */
export function rate(metric: string, more = ''): string {
  return `rate(${of(metric, more)}[$__rate_interval])`;
}

/** The members of a panel that do not depend on its kind. */
export function basics({ title, description }: PanelText, queries: readonly Query[]) {
  return {
    title,
    description,
    datasource: DATASOURCE,
    targets: queries.map(({ expr, legend }, i) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + i),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      range: true,
    })),
  };
}

type Override = FieldConfigSource['overrides'][number];

/** A fixed colour for the series whose names match. */
export function colour(name: RegExp, fixedColor: string): Override {
  return {
    matcher: { id: 'byRegexp', options: `/${name.source}/` },
    properties: [{ id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor } }],
  };
}

/** Shows a series as a limit: a dashed red line without filling, not stacked. */
export function limitLine(name: RegExp): Override {
  return {
    matcher: { id: 'byRegexp', options: `/${name.source}/` },
    properties: [
      { id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor: 'red' } },
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 8] } },
      { id: 'custom.fillOpacity', value: 0 },
      { id: 'custom.stacking', value: { mode: 'none' } },
    ],
  };
}

/** Green below the first value, then the colour of the highest value reached. */
export function thresholds(
  ...steps: readonly (readonly [value: number, color: string])[]
): Pick<FieldConfig, 'thresholds'> {
  // Grafana reads null as -Infinity, which JSON does not have.
  const base = { value: null as unknown as number, color: 'green' };
  return {
    thresholds: {
      mode: ThresholdsMode.Absolute,
      steps: [base, ...steps.map(([value, color]) => ({ value, color }))],
    },
  };
}
