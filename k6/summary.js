/**
 * Sums a run up: the figures, then one line for each thing it had to show.
 *
 * @param {object} data what k6 hands to handleSummary
 * @param {ReturnType<typeof import('./settings.js').readSettings>} settings
 */
export function summarize(data, settings) {
  const windows = [];
  const verdicts = [];
  const metrics = {};
  for (const [name, metric] of Object.entries(data.metrics)) {
    if (name.startsWith('created_in_second{')) {
      windows.push(metric);
      continue;
    }
    metrics[name] = { type: metric.type, ...metric.values };
    for (const [rule, { ok }] of Object.entries(metric.thresholds ?? {})) {
      verdicts.push({ name, rule, ok, seen: seen(metric, rule) });
    }
  }
  if (windows.length > 0) verdicts.push(secondVerdict(windows, settings.limitRps));
  verdicts.sort((a, b) => a.name.localeCompare(b.name));
  // Where the summary is written is of no interest to whoever reads it.
  const { summaryFile: _, ...shown } = settings;
  return { settings: shown, verdicts, metrics };
}

function seen(metric, rule) {
  const aggregate = /^[a-z]+/.exec(rule)[0];
  return metric.values[aggregate];
}

function secondVerdict(windows, limitRps) {
  return {
    name: `created_in_second (${windows.length} overlapping seconds)`,
    rule: `count<=${limitRps}`,
    ok: windows.every((metric) => Object.values(metric.thresholds).every(({ ok }) => ok)),
    seen: Math.max(...windows.map((metric) => metric.values.count)),
  };
}

/** @param {ReturnType<typeof summarize>} summary */
export function summaryText({ settings, verdicts, metrics }) {
  const { mode, wave } = settings;
  const latency = metrics.order_latency;
  const lines = [
    `wave ${wave.minRps} to ${wave.maxRps} RPS, ${wave.periods} periods of ${wave.periodS} s, mode ${mode}`,
    `offered ${metrics['iterations{scenario:wave}'].count}, created ${metrics.created?.count ?? 0}`,
  ];
  if (latency !== undefined) {
    const figures = ['med', 'p(95)', 'p(99)', 'max'].map((key) => `${key} ${round(latency[key])}`);
    lines.push(`latency in ms: ${figures.join(', ')}`);
  }
  if (metrics.backlog !== undefined) lines.push(`backlog at its highest: ${metrics.backlog.max}`);
  for (const { name, rule, ok, seen } of verdicts) {
    lines.push(`${ok ? 'ok  ' : 'FAIL'} ${name}: ${rule} (seen ${round(seen)})`);
  }
  return `${lines.join('\n')}\n`;
}

function round(value) {
  return Math.round(value * 10_000) / 10_000;
}
