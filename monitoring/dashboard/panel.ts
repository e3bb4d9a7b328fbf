/** What every panel of Forebay's dashboard has in common; the types are Grafana's own. */
import {
  FieldColorModeId,
  type FieldConfig,
  type FieldConfigSource,
  type Panel,
  ThresholdsMode,
} from '@grafana/schema';

/** A query to Prometheus; `legend` names its series, with their labels in `{{ }}`. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** Who looks at a graph at night has these three: what it is, in which unit, and where it stands. */
export interface PanelText {
  readonly title: string;
  /** What it shows, and what in it is bad. */
  readonly description: string;
  /** An id of Grafana's list of units, or `suffix: …`. */
  readonly unit: string;
}

/** A panel that has no place and no number yet. */
export interface Unplaced {
  readonly panel: Omit<Panel, 'options'> & { readonly options: object };
  /** Of 24. */
  readonly width: number;
  readonly height: number;
}

export const ORDERS_PER_SECOND = 'suffix: orders/s';
export const ORDERS = 'suffix: orders';

/** Chosen by the variable, so that the dashboard can be imported into any Grafana. */
export const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

/** Selects the instances chosen above the dashboard, and among their series those that `more` says. */
export function of(metric: string, more = ''): string {
  return `${metric}{instance=~"$instance"${more === '' ? '' : `, ${more}`}}`;
}

/** Increase a second. */
export function rate(metric: string, more = ''): string {
  return `rate(${of(metric, more)}[$__rate_interval])`;
}

/** A panel's members that do not depend on its kind. */
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

/** The series whose names match have this colour, whatever else there is. */
export function colour(name: RegExp, fixedColor: string): Override {
  return {
    matcher: { id: 'byRegexp', options: `/${name.source}/` },
    properties: [{ id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor } }],
  };
}

/** A bound rather than a measurement: a dashed line without a filling, outside any stack. */
export function bound(name: RegExp): Override {
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

/** Green below the first value, and from each value on its colour. */
export function thresholds(
  ...steps: readonly (readonly [value: number, color: string])[]
): Pick<FieldConfig, 'thresholds'> {
  // The lowest step has no value: JSON knows no -Infinity, and Grafana reads null as that.
  const base = { value: null as unknown as number, color: 'green' };
  return {
    thresholds: {
      mode: ThresholdsMode.Absolute,
      steps: [base, ...steps.map(([value, color]) => ({ value, color }))],
    },
  };
}
