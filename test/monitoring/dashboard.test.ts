import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { dashboardJson } from '../../monitoring/dashboard/dashboard.js';
import { histogramFamilies } from '../../src/metrics/histogram-names.js';
import { liveFamilies } from '../../src/metrics/names.js';
import { type ShownPanel, shownPanels } from './dashboard-file.js';
import { MONITORING } from './rule-files.js';

const panels = shownPanels();

function titles(): string[] {
  return panels.map(({ title }) => title);
}

describe('Forebay’s dashboard', () => {
  it('is generated from monitoring/dashboard', () => {
    const file = join(MONITORING, 'grafana', 'dashboards', 'forebay.json');
    assert.equal(readFileSync(file, 'utf8'), dashboardJson(), 'run npm run docs');
  });

  it('has a unit, a description and the names of the series for every panel', () => {
    for (const panel of panels) {
      assert.ok(panel.description.length > 20, panel.title);
      assert.ok(panel.fieldConfig.defaults.unit, panel.title);
      assert.ok(panel.targets.length > 0, panel.title);
      for (const { legendFormat } of panel.targets) assert.ok(legendFormat, panel.title);
      if ('legend' in panel.options) {
        const { legend } = panel.options as { legend: { show?: boolean; showLegend?: boolean } };
        assert.ok(legend.show ?? legend.showLegend, `${panel.title} has no legend`);
      }
    }
  });

  it('has each title once', () => {
    assert.equal(new Set(titles()).size, panels.length);
    assert.ok(titles().includes('Diff By Status'));
    assert.ok(titles().includes('Work Done by status'));
  });

  it('places no panel over another or beyond the edge', () => {
    const overlaps = (a: ShownPanel['gridPos'], b: ShownPanel['gridPos']) =>
      a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
    panels.forEach((panel, i) => {
      assert.ok(panel.gridPos.x + panel.gridPos.w <= 24, panel.title);
      for (const other of panels.slice(i + 1)) {
        assert.ok(!overlaps(panel.gridPos, other.gridPos), `${panel.title} over ${other.title}`);
      }
    });
  });

  it('shows responses stacked: 200 green, 4xx yellow, 5xx red', () => {
    const { fieldConfig } = panels.find(({ title }) => title === 'Diff By Status')!;
    assert.equal(fieldConfig.defaults.custom?.stacking?.mode, 'normal');
    const colourOf = (status: string) =>
      fieldConfig.overrides
        .filter(({ matcher }) => new RegExp(matcher.options.slice(1, -1)).test(status))
        .map(({ properties }) => properties[0]!.value.fixedColor);
    assert.deepEqual(['200', '400', '422', '500', '503'].map(colourOf), [
      ['green'],
      ['yellow'],
      ['yellow'],
      ['red'],
      ['red'],
    ]);
  });

  it('has a heatmap for every histogram', () => {
    const maps = panels.filter(({ type }) => type === 'heatmap');
    for (const { name } of histogramFamilies) {
      const expr = `sum by (le) (increase(${name}_bucket{instance=~"$instance"}[$__rate_interval]))`;
      const queries = maps.flatMap(({ targets }) => targets).filter((q) => q.expr === expr);
      assert.deepEqual(
        queries.map(({ format }) => format),
        ['heatmap'],
        name,
      );
    }
  });

  it('uses every gauge of Forebay', () => {
    const all = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join('\n');
    for (const { name } of Object.values(liveFamilies)) assert.ok(all.includes(name), name);
  });

  it('uses no recording rules and no job names, so that it works with any Prometheus', () => {
    for (const { title, targets } of panels) {
      for (const { expr } of targets) assert.doesNotMatch(expr, /\w:\w|job=/, title);
    }
  });
});
