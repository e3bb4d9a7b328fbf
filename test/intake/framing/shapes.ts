/** The shapes of requests that clients and proxies send, for the table in docs/reference/http-engines.md. */
import { orderBody } from '../../support/orders.js';
import { CHUNKED, CHUNKED_BODY, HOST, JSON_TYPE, LINE, sized } from './framing-case.js';

export interface Shape {
  readonly name: string;
  /** Sent one after the other, in segments of their own. */
  readonly pieces: readonly string[];
  readonly isHalfClosed?: boolean;
  /** With uWebSockets.js the answer races against what the client does next: what the table says about it. */
  readonly uwsRace?: string;
}

const body = orderBody('ada');

function order(headers = '', line = LINE): string {
  return `${line}${HOST}${JSON_TYPE}${headers}${sized(body)}\r\n${body}`;
}

function head(headers: string): string {
  return `${LINE}${HOST}${JSON_TYPE}${headers}${sized(body)}\r\n`;
}

const inChunks = `${LINE}${HOST}${JSON_TYPE}${CHUNKED}\r\n${CHUNKED_BODY('ada')}`;

export const SHAPES: readonly Shape[] = [
  { name: 'HTTP/1.1', pieces: [order()] },
  { name: '`Connection: close`', pieces: [order('Connection: close\r\n')] },
  {
    name: 'HTTP/1.0, as of nginx without `proxy_http_version`',
    pieces: [order('', 'POST /orders HTTP/1.0\r\n')],
  },
  {
    name: 'HTTP/1.0 with `Connection: keep-alive`, as of ab',
    pieces: [order('Connection: keep-alive\r\n', 'POST /orders HTTP/1.0\r\n')],
  },
  { name: 'two orders in one segment (pipelining)', pieces: [order() + order()] },
  {
    name: 'the client ends its side after the order',
    pieces: [order()],
    isHalfClosed: true,
    uwsRace: 'no answer, or 200 if it is faster',
  },
  { name: 'target with scheme and host', pieces: [order('', 'POST http://x/orders HTTP/1.1\r\n')] },
  { name: 'CRLF in front of the request', pieces: [`\r\n${order()}`] },
  { name: 'CRLF behind the body', pieces: [`${order()}\r\n`, order()] },
  { name: '`Expect: 100-continue`', pieces: [head('Expect: 100-continue\r\n'), body] },
  { name: '`Expect: 100-Continue`', pieces: [head('Expect: 100-Continue\r\n'), body] },
  { name: '`Expect` with another value', pieces: [order('Expect: x\r\n')] },
  { name: 'chunks', pieces: [inChunks] },
  {
    name: 'chunks with an extension',
    pieces: [inChunks.replace(/\r\n\r\n(\w+)/, '\r\n\r\n$1;a=b')],
  },
  {
    name: 'chunks with a trailer, as of `addTrailers` of Node',
    pieces: [inChunks.replace(/\r\n$/, 'X-Sum: 1\r\n\r\n')],
  },
  { name: 'cut in the path of the request line', pieces: [order().slice(0, 9), order().slice(9)] },
  {
    name: 'cut in the version of the request line',
    pieces: [order().slice(0, 17), order().slice(17)],
  },
  { name: 'cut in a header', pieces: [order().slice(0, 40), order().slice(40)] },
  { name: 'head and body in two segments', pieces: [head(''), body] },
  { name: 'body byte by byte', pieces: [head(''), ...body] },
  { name: '5 KB of headers', pieces: [order(`X: ${'x'.repeat(5000)}\r\n`)] },
  { name: '9 KB of headers', pieces: [order(`X: ${'x'.repeat(9000)}\r\n`)] },
  { name: '150 headers', pieces: [order('X: 1\r\n'.repeat(150))] },
  { name: 'no `Host`', pieces: [order().replace(HOST, '')] },
  {
    name: 'a method that HTTP does not know',
    pieces: ['BREW /orders HTTP/1.1\r\nHost: x\r\n\r\n'],
  },
  { name: '`OPTIONS *`', pieces: ['OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n'] },
  { name: '`CONNECT`', pieces: ['CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n'] },
  {
    name: '`Upgrade: websocket` on another path',
    pieces: ['GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  },
  {
    name: 'an order with `Upgrade: h2c`',
    pieces: [
      order(
        'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n',
      ),
    ],
  },
  { name: 'HTTP/2 without TLS', pieces: ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'] },
  { name: 'TLS on the port for HTTP', pieces: ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'] },
  { name: 'an order, then bytes that are not HTTP', pieces: [`${order()}X Y\r\n\r\n`] },
  {
    name: 'an order, then HTTP/1.0 in the same segment',
    pieces: [`${order()}GET / HTTP/1.0\r\n\r\n`],
  },
];
