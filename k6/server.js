import http from 'k6/http';
import { readServer } from './lib/metrics-text.js';

/**
 * Reads the server's counters.
 *
 * @param {{ adminUrl: string, adminToken: string }} settings
 */
export function poll({ adminUrl, adminToken }) {
  const headers = adminToken === '' ? {} : { Authorization: `Bearer ${adminToken}` };
  const answer = http.get(`${adminUrl}/metrics`, { headers, tags: { name: 'metrics' } });
  if (answer.status !== 200)
    throw new Error(`${adminUrl}/metrics: ${answer.status} ${answer.error}`);
  return readServer(answer.body);
}
