import http from 'k6/http';
import { readServer } from './lib/metrics-text.js';

/**
 * Reads the server's counters.
 *
 * @param {string} adminUrl
 */
export function poll(adminUrl) {
  const answer = http.get(`${adminUrl}/metrics`, { tags: { name: 'metrics' } });
  if (answer.status !== 200)
    throw new Error(`${adminUrl}/metrics: ${answer.status} ${answer.error}`);
  return readServer(answer.body);
}
