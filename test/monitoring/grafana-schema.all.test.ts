import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { dashboard, dashboardJson } from '../../monitoring/dashboard/dashboard.js';
import { ROOT } from './rule-files.js';

const SOURCE = join(ROOT, 'test', 'monitoring', 'grafana-schema');
/** Builds the checker. @returns null, or why it cannot be built */
function build(program: string): string | null {
  const run = spawnSync('go', ['build', '-o', program, '.'], { cwd: SOURCE, encoding: 'utf8' });
  if (run.error !== undefined) return 'no Go on this machine, which Grafana’s SDK is for';
  return run.status === 0 ? null : `Grafana’s SDK cannot be had: ${run.stderr.trim()}`;
}

function faults(program: string, json: string): string[] {
  const run = spawnSync(program, { input: json, encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout.split('\n').filter(Boolean);
}

/** The dashboard with an unknown member in a panel of this kind. */
function spoilt(type: string, spoil: (panel: Record<string, unknown>) => void): string {
  const copy = structuredClone(dashboard);
  spoil(copy.panels!.find((panel) => panel.type === type) as unknown as Record<string, unknown>);
  return JSON.stringify(copy);
}

describe('Forebay’s dashboard, checked with Grafana’s SDK', () => {
  it('has all required members and no unknown ones', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'forebay-schema-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const program = join(folder, 'check');
    const missing = build(program);
    if (missing !== null) return t.skip(missing);
    assert.deepEqual(faults(program, dashboardJson()), []);
    await t.test('an unknown member is reported', () => {
      const inOptions = spoilt('heatmap', ({ options }) => Object.assign(options!, { colour: {} }));
      assert.match(faults(program, inOptions).join(), /unexpected field 'colour'/);
      const inQuery = spoilt('timeseries', ({ targets }) =>
        Object.assign((targets as object[])[0]!, { exprr: 'up' }),
      );
      assert.match(faults(program, inQuery).join(), /unexpected field 'exprr'/);
      const { annotations: _, ...less } = dashboard;
      assert.match(faults(program, JSON.stringify(less)).join(), /annotations: required/);
    });
  });
});
