/** node:http that reads the body and sends a fixed response: the limit for servers built on it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answers } from '../../src/model/answers.js';

const { body } = answers.created;
const head = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };

const server = createServer((request, response) => {
  const isOrder = request.method === 'POST' && request.url === '/orders';
  request.resume().on('end', () => response.writeHead(isOrder ? 200 : 404, head).end(body));
});
server.listen(0, '127.0.0.1', () => {
  console.log(`bare ready: http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
