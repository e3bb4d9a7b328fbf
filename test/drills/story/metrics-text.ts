/** /metrics of a server with these counts, as far as the story reads it. */
export function metricsText(counted: {
  readonly uptimeS?: number;
  readonly created: number;
  readonly refused?: number;
  readonly done: number;
  readonly pending?: number;
}): string {
  return [
    `forebay_http_responses_total{status="200"} ${counted.created}`,
    `forebay_http_responses_total{status="500"} ${counted.refused ?? 0}`,
    `work_done_total{status="done"} ${counted.done}`,
    `work_done_total{status="error"} 0`,
    `forebay_admitted_orders_total ${counted.done}`,
    `process_uptime_seconds ${counted.uptimeS ?? 1}`,
    `forebay_journal_pending_orders ${counted.pending ?? 0}`,
    `forebay_journal_oldest_age_seconds 1.5`,
    `forebay_event_loop_lag_seconds{thread="main"} 0.004`,
    `forebay_event_loop_lag_seconds{thread="intake-0"} 0.02`,
    `forebay_commit_duration_seconds_sum{journal="local"} ${counted.created / 500}`,
    `forebay_commit_duration_seconds_count{journal="local"} ${counted.created}`,
    `process_resident_memory_bytes ${100 * 1024 * 1024}`,
    `process_cpu_seconds_total ${counted.created / 1000}`,
  ].join('\n');
}
