import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readMetric, readServer } from '../../../k6/lib/metrics-text.js';

const TEXT = `# HELP work_done_total orders
# TYPE work_done_total counter
work_done_total{status="done"} 41
work_done_total{status="error"} 2
work_done_total_more{status="done"} 7
forebay_http_responses_total{thread="0",status="200"} 5
forebay_http_responses_total{thread="1",status="200"} 1.5e3
forebay_journal_pending_orders 3
`;

describe('reading metrics', () => {
  it('takes the series with the label, and no metric whose name only starts the same', () => {
    assert.equal(readMetric(TEXT, 'work_done_total', 'status="done"'), 41);
    assert.equal(readMetric(TEXT, 'work_done_total', 'status="error"'), 2);
  });

  it('adds up the series of several label sets', () => {
    assert.equal(readMetric(TEXT, 'forebay_http_responses_total', 'status="200"'), 1505);
  });

  it('is NaN when there is no series', () => {
    assert.ok(Number.isNaN(readMetric(TEXT, 'forebay_journal_pending')));
    assert.ok(Number.isNaN(readMetric(TEXT, 'work_done_total', 'status="lost"')));
  });

  it('reads an absent counter as 0, but an absent gauge not as an empty backlog', () => {
    const server = readServer('');
    assert.equal(server.doneOrders, 0);
    assert.equal(server.created, 0);
    assert.ok(Number.isNaN(server.pendingOrders));
  });
});
