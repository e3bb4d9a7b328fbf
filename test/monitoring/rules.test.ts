import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { histogramFamilies } from '../../src/metrics/histogram-names.js';
import { counterFamilies, gaugeFamilies, liveFamilies } from '../../src/metrics/names.js';
import { RUNS_ALL, toolPath } from '../support/program.js';
import { alerts, MONITORING, ROOT, recordings } from './rule-files.js';

interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test?: readonly { alertname: string; exp_alerts: readonly unknown[] }[];
    readonly promql_expr_test?: readonly { expr: string; exp_samples: readonly unknown[] }[];
  }[];
}

const skip = !RUNS_ALL && 'needs promtool: npm run test:all';

async function promtool(...args: readonly string[]): Promise<string> {
  const program = process.env.FOREBAY_PROMTOOL || (await toolPath('promtool'));
  const run = spawnSync(program, args, { cwd: MONITORING, encoding: 'utf8' });
  if (run.error !== undefined) throw run.error;
  assert.equal(run.status, 0, run.stdout + run.stderr);
  return run.stdout + run.stderr;
}

function testsOf(file: string): RuleTests['tests'] {
  return (parse(readFileSync(join(MONITORING, file), 'utf8')) as RuleTests).tests;
}

function namesOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return Array.from(text.matchAll(/^## (Forebay\w+)$/gm), ([, name]) => name!);
}

const alertNames = alerts.map(({ alert }) => alert).sort();

describe('monitoring/', () => {
  it('is a valid configuration of Prometheus', { skip }, async () => {
    assert.match(await promtool('check', 'config', 'prometheus.yml'), /2 rule files? found/);
    await promtool('check', 'rules', 'recording.yml', 'alerts.yml');
  });

  for (const file of ['alerts.test.yml', 'recording.test.yml']) {
    it(`passes ${file}`, { skip }, async () => {
      await promtool('test', 'rules', file);
    });
  }

  it('has tests in which each alert fires and does not fire', () => {
    const tests = testsOf('alerts.test.yml').flatMap((test) => test.alert_rule_test ?? []);
    const tested = (fires: boolean) =>
      tests.filter(({ exp_alerts }) => exp_alerts.length > 0 === fires).map((t) => t.alertname);
    for (const fires of [true, false]) {
      assert.deepEqual([...new Set(tested(fires))].sort(), alertNames, `fires: ${fires}`);
    }
  });

  it('has a test for each recording rule', () => {
    const exprs = testsOf('recording.test.yml')
      .flatMap((test) => test.promql_expr_test ?? [])
      .filter(({ exp_samples }) => exp_samples.length > 0)
      .map(({ expr }) => expr);
    const untested = recordings.filter(
      ({ record }) => !exprs.some((expr) => expr.includes(record)),
    );
    assert.deepEqual(untested, []);
  });

  it('uses only metrics that Forebay has', () => {
    const known = [
      ...counterFamilies.map(({ name }) => name),
      ...gaugeFamilies.map(({ name }) => name),
      ...Object.values(liveFamilies).map(({ name }) => name),
      ...histogramFamilies.map(({ name }) => `${name}_bucket`),
    ] as string[];
    const named = [...alerts, ...recordings].flatMap(({ expr }) =>
      Array.from(expr.matchAll(/\b(?:forebay_\w+|work_done_total)\b/g), ([name]) => name),
    );
    assert.ok(named.includes('forebay_dead_letters'));
    assert.deepEqual(
      named.filter((name) => !known.includes(name)),
      [],
    );
  });
});

describe('docs/reference/runbook.md', () => {
  it('has a section for each alert and no other', () => {
    assert.deepEqual(namesOf('docs/reference/runbook.md').sort(), alertNames);
  });

  it('has severity, checks and actions for each alert', () => {
    const sections = readFileSync(join(ROOT, 'docs/reference/runbook.md'), 'utf8')
      .split(/^## /m)
      .slice(1);
    for (const section of sections) {
      const { alert, labels } = alerts.find(({ alert }) => section.startsWith(`${alert}\n`))!;
      const urgency = labels.severity === 'critical' ? 'Critical' : 'Warning';
      for (const part of [`\n**${urgency}. `, '\nLook: ', '\nDo: ']) {
        assert.ok(section.includes(part), `${alert}: no "${part.trim()}"`);
      }
    }
  });

  it('is the runbook_url of each alert', () => {
    for (const { alert, annotations } of alerts) {
      assert.equal(annotations.runbook_url, `docs/reference/runbook.md#${alert.toLowerCase()}`);
    }
  });
});

describe('docs/guides/monitoring.md', () => {
  it('lists the alerts with their severity and duration', () => {
    const rows = readFileSync(join(ROOT, 'docs/guides/monitoring.md'), 'utf8').match(
      /^\| \[Forebay.*$/gm,
    );
    assert.deepEqual(
      rows,
      alerts.map(({ alert, labels, for: lasts = '0m' }) => {
        const link = `[${alert}](../reference/runbook.md#${alert.toLowerCase()})`;
        return `| ${link} | ${labels.severity} | ${lasts} |`;
      }),
    );
  });
});
