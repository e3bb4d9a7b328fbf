import http from 'k6/http';
import { readServer } from './lib/metrics-text.js';

/**
 * One look at the server's counters. They were read between `sentMs` and `receivedMs`.
 *
 * @param {string} adminUrl
 */
export function poll(adminUrl) {
  const sentMs = Date.now();
  const answer = http.get(`${adminUrl}/metrics`, { tags: { name: 'metrics' } });
  const receivedMs = Date.now();
  if (answer.status !== 200)
    throw new Error(`${adminUrl}/metrics: ${answer.status} ${answer.error}`);
  return { sentMs, receivedMs, ...readServer(answer.body) };
}
