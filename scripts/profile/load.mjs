#!/usr/bin/env node
// Posts orders to a server: each connection sends the next order when the last is answered. Prints the counts as JSON.
// Arguments are the URL, seconds and connections:
//   node scripts/profile/load.mjs http://127.0.0.1:3000 10 64
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

const BODY = '{"product_id":"33","count":"3","username":"maksim.konovalov"}';
const STATUS_LINE_PREFIX = 'HTTP/1.1 ';
const STATUS_CHARS = 3;

/**
 * @param {string} url
 * @param {number} seconds
 * @param {number} connections
 * @returns {Promise<{ answers: number, created: number, perSecond: number }>}
 */
export async function load(url, seconds, connections) {
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1000;
  const counts = { answers: 0, created: 0 };
  const each = Array.from({ length: connections }, () => postUntil(url, endMs, counts));
  await Promise.all(each);
  const lastedS = (performance.now() - startedMs) / 1000;
  return { ...counts, perSecond: Math.round(counts.answers / lastedS) };
}

/** One connection. Resolves at the end, rejects on an error of the connection. */
function postUntil(url, endMs, counts) {
  const { hostname, port, host } = new URL(url);
  const request = [
    'POST /orders HTTP/1.1',
    `Host: ${host}`,
    'Content-Type: application/json',
    `Content-Length: ${BODY.length}`,
    '',
    BODY,
  ].join('\r\n');
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    let unread = '';
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write(request));
    socket.on('data', (text) => {
      unread += text;
      // A response is short, and only one is in flight.
      if (!unread.endsWith('}')) return;
      const status = unread.slice(
        STATUS_LINE_PREFIX.length,
        STATUS_LINE_PREFIX.length + STATUS_CHARS,
      );
      unread = '';
      counts.answers++;
      if (status === '200') counts.created++;
      if (performance.now() < endMs) socket.write(request);
      else socket.end();
    });
    socket.on('error', reject);
    socket.on('close', resolve);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [url, seconds, connections] = process.argv.slice(2);
  console.log(JSON.stringify(await load(url, Number(seconds), Number(connections))));
}
