/** The kinds of panels. */
import {
  AxisPlacement,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  FieldColorModeId,
  type FieldConfig,
  type FieldConfigSource,
  GraphDrawStyle,
  HeatmapCellLayout,
  LegendDisplayMode,
  LineInterpolation,
  MappingType,
  type Panel,
  PercentChangeColorMode,
  SortOrder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizOrientation,
} from '@grafana/schema';
import {
  HeatmapColorMode,
  type FieldConfig as HeatmapFieldConfig,
  type Options as HeatmapOptions,
} from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type {
  FieldConfig as StatusHistoryFieldConfig,
  Options as StatusHistoryOptions,
} from '@grafana/schema/dist/esm/raw/composable/statushistory/panelcfg/x/StatusHistoryPanelCfg_types.gen';
import type {
  FieldConfig as TimeSeriesFieldConfig,
  Options as TimeSeriesOptions,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import { basics, type PanelText, type Query, type Unplaced } from './panel.js';

const HEIGHT = 8;
const SHADES_MAX = 60;

/** Grafana's Panel type does not know that the type of `options` depends on the kind of panel. */
type Kind<TOptions, TFieldConfig> = Omit<Panel<TOptions, TFieldConfig>, 'options'> & {
  readonly options: TOptions;
};

/** The cast is needed because an interface is not assignable to a record, although both are the same JSON. */
function unplaced<TOptions extends object, TFieldConfig>(
  panel: Kind<TOptions, TFieldConfig>,
  width: number,
  height: number,
): Unplaced {
  return { panel: panel as unknown as Unplaced['panel'], width, height };
}

interface Look {
  readonly width?: number;
  readonly stacked?: boolean;
  readonly max?: number;
  readonly overrides?: FieldConfigSource['overrides'];
}

/** Lines over time, with the last and the maximum value in the legend. */
export function lines(
  text: PanelText,
  queries: readonly Query[],
  { width = 8, stacked = false, max, overrides = [] }: Look = {},
): Unplaced {
  const panel: Kind<TimeSeriesOptions, TimeSeriesFieldConfig> = {
    type: 'timeseries',
    ...basics(text, queries),
    fieldConfig: {
      defaults: {
        unit: text.unit,
        min: 0,
        ...(max === undefined ? {} : { max }),
        custom: {
          drawStyle: GraphDrawStyle.Line,
          lineInterpolation: LineInterpolation.Linear,
          lineWidth: stacked ? 0 : 2,
          fillOpacity: stacked ? 80 : 10,
          showPoints: VisibilityMode.Never,
          stacking: { mode: stacked ? StackingMode.Normal : StackingMode.None, group: 'A' },
        },
      },
      overrides,
    },
    options: {
      legend: {
        showLegend: true,
        displayMode: LegendDisplayMode.Table,
        placement: 'bottom',
        calcs: ['lastNotNull', 'max'],
      },
      tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
    },
  };
  return unplaced(panel, width, HEIGHT);
}

/** A histogram over time. */
export function heatmap(text: PanelText, expr: string): Unplaced {
  const { targets, ...rest } = basics(text, [{ expr, legend: '{{le}}' }]);
  const panel: Kind<HeatmapOptions, HeatmapFieldConfig> = {
    type: 'heatmap',
    ...rest,
    targets: targets.map((target) => ({ ...target, format: 'heatmap' })),
    fieldConfig: { defaults: { unit: 'short' }, overrides: [] },
    options: {
      calculate: false,
      cellGap: 1,
      cellValues: { unit: 'short' },
      color: {
        mode: HeatmapColorMode.Scheme,
        scheme: 'Oranges',
        fill: 'dark-orange',
        exponent: 0.5,
        steps: 64,
        reverse: false,
      },
      exemplars: { color: 'rgba(255,0,255,0.7)' },
      // Leaves empty cells blank instead of the lowest colour.
      filterValues: { le: 1e-9 },
      legend: { show: true },
      rowsFrame: { layout: HeatmapCellLayout.auto },
      showValue: VisibilityMode.Never,
      tooltip: { mode: TooltipDisplayMode.Single, yHistogram: true, showColorScale: true },
      yAxis: { axisPlacement: AxisPlacement.Left, unit: text.unit },
    },
  };
  return unplaced(panel, 8, HEIGHT);
}

/** One number with a coloured background. @param show `name`: the legend of the series instead of its value */
export function stat(
  text: PanelText,
  query: Query,
  look: Pick<FieldConfig, 'thresholds' | 'mappings'>,
  show: 'value' | 'name' = 'value',
): Unplaced {
  const panel: Kind<StatOptions, Record<string, unknown>> = {
    type: 'stat',
    ...basics(text, [query]),
    fieldConfig: {
      defaults: {
        unit: text.unit,
        color: { mode: FieldColorModeId.Thresholds },
        ...look,
      },
      overrides: [],
    },
    options: {
      colorMode: BigValueColorMode.Background,
      graphMode: BigValueGraphMode.None,
      justifyMode: BigValueJustifyMode.Auto,
      orientation: VizOrientation.Auto,
      percentChangeColorMode: PercentChangeColorMode.Standard,
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      showPercentChange: false,
      textMode: show === 'name' ? BigValueTextMode.Name : BigValueTextMode.Auto,
      wideLayout: true,
    },
  };
  return unplaced(panel, 3, 4);
}

/** A row per series over time; the colour is the value, from green at 0 to red at 1. */
export function shades(text: PanelText, query: Query): Unplaced {
  const panel: Kind<StatusHistoryOptions, StatusHistoryFieldConfig> = {
    type: 'status-history',
    ...basics(text, [query]),
    // Grafana shows an error if a point has less than two pixels, as on a phone or over a long time.
    maxDataPoints: SHADES_MAX,
    fieldConfig: {
      defaults: {
        unit: text.unit,
        min: 0,
        max: 1,
        color: { mode: FieldColorModeId.ContinuousGrYlRd },
        custom: { fillOpacity: 80, lineWidth: 0 },
      },
      overrides: [],
    },
    options: {
      legend: {
        showLegend: true,
        displayMode: LegendDisplayMode.List,
        placement: 'bottom',
        calcs: [],
      },
      rowHeight: 0.9,
      showValue: VisibilityMode.Never,
      tooltip: { mode: TooltipDisplayMode.Single, sort: SortOrder.None },
    },
  };
  return unplaced(panel, 8, HEIGHT);
}

/** The texts for 1 and for 0. */
export function yesOrNo(one: string, zero: string): Pick<FieldConfig, 'mappings'> {
  const options = { 1: { text: one, index: 0 }, 0: { text: zero, index: 1 } };
  return { mappings: [{ type: MappingType.ValueToText, options }] };
}
