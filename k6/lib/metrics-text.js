/**
 * Reads one metric from Prometheus' text format.
 *
 * @param {string} text the answer of /metrics
 * @param {string} name of the metric
 * @param {string} [label] a label that must be there, such as `status="done"`
 * @returns {number} the sum of all samples that match; NaN when there is none
 */
export function readMetric(text, name, label = '') {
  let sum = Number.NaN;
  for (const line of text.split('\n')) {
    if (!line.startsWith(name)) continue;
    const rest = line.slice(name.length);
    if (!rest.startsWith('{') && !rest.startsWith(' ')) continue;
    const labelsEnd = rest.lastIndexOf('}');
    if (label !== '' && !rest.slice(0, labelsEnd + 1).includes(label)) continue;
    const value = Number(
      rest
        .slice(labelsEnd + 1)
        .trim()
        .split(' ')[0],
    );
    sum = Number.isNaN(sum) ? value : sum + value;
  }
  return sum;
}

/**
 * What a run is judged by. A counter that has not counted yet may be absent: then it is 0. The last two are NaN where the
 * server does not report them.
 *
 * @param {string} text the answer of /metrics
 */
export function readServer(text) {
  return {
    doneOrders: readMetric(text, 'work_done_total', 'status="done"') || 0,
    created: readMetric(text, 'forebay_http_responses_total', 'status="200"') || 0,
    pendingOrders: readMetric(text, 'forebay_journal_pending_orders'),
    residentBytes: readMetric(text, 'process_resident_memory_bytes'),
    admittedOrders: readMetric(text, 'forebay_admitted_orders_total'),
    uptimeS: readMetric(text, 'process_uptime_seconds'),
  };
}
