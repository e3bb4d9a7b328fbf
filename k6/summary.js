/**
 * Sums a run up: the figures, then a line for each threshold. The same shape for every script:
 * `forebay story` reads it.
 *
 * @param {object} data what k6 hands to handleSummary
 * @param {object} settings see settings.js
 * @param {{ script: string }} plan
 */
export function summarize(data, settings, { script }) {
  const windows = [];
  const verdicts = [];
  const metrics = {};
  for (const [name, metric] of Object.entries(data.metrics)) {
    if (name.startsWith('created_in_second{')) {
      windows.push(metric);
      continue;
    }
    metrics[name] = { type: metric.type, ...metric.values };
    if (isNeverReached(name, metric)) continue;
    for (const [rule, { ok }] of Object.entries(metric.thresholds ?? {})) {
      verdicts.push({ name, rule, ok, seen: seen(metric, rule) });
    }
  }
  if (windows.length > 0) verdicts.push(secondVerdict(windows, settings.limitRps));
  verdicts.sort((a, b) => a.name.localeCompare(b.name));
  // A reader of the summary does not need its file name.
  const { summaryFile: _, adminToken: __, ...shown } = settings;
  return { script, settings: shown, verdicts, metrics };
}

/** A step that the run did not reach: its thresholds hold, but nothing was measured. */
function isNeverReached(name, metric) {
  return name.includes('{step:') && metric.values.max === 0;
}

function seen(metric, rule) {
  // The same spelling as in metrics: `p(99)`, `count`.
  const aggregate = /^[a-z]+(\([\d.]+\))?/.exec(rule)[0];
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

/**
 * @param {ReturnType<typeof summarize>} summary
 * @param {string} what the load, in words
 */
export function summaryText({ verdicts, metrics }, what) {
  const sent = metrics['iterations{scenario:orders}'].count;
  const lines = [what, `offered ${sent}, created ${metrics.created?.count ?? 0}`];
  lines.push(...latencyLine('all answers', metrics.order_latency));
  lines.push(...latencyLine('the 200s', metrics.created_latency));
  const held = verdicts.filter(({ name, ok }) => ok && name.includes('{step:')).map(stepOf);
  if (held.length > 0) lines.push(`highest step whose latency held: ${Math.max(...held)} RPS`);
  if (metrics.backlog !== undefined) lines.push(`highest backlog: ${metrics.backlog.max}`);
  for (const { name, rule, ok, seen } of verdicts) {
    lines.push(`${ok ? 'ok  ' : 'FAIL'} ${name}: ${rule} (seen ${round(seen)})`);
  }
  return `${lines.join('\n')}\n`;
}

function stepOf({ name }) {
  return Number(/\{step:(\d+)\}/.exec(name)[1]);
}

function latencyLine(of, latency) {
  if (latency === undefined) return [];
  const shares = ['med', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)', 'max'];
  const figures = shares.map((share) => `${share} ${round(latency[share])}`);
  return [`latency of ${of} in ms: ${figures.join(', ')}`];
}

function round(value) {
  return Math.round(value * 10_000) / 10_000;
}
