/** Several requests on a connection, its end, and requests that arrive in pieces. */
import { orderBody } from '../../support/orders.js';
import {
  CHUNKED,
  CHUNKED_BODY,
  chunks,
  type FramingCase,
  HOST,
  JSON_TYPE,
  LINE,
  sized,
  whole,
} from './framing-case.js';

function order(username: string, headers = '', version = '1.1'): string {
  const body = orderBody(username);
  return `POST /orders HTTP/${version}\r\n${HOST}${JSON_TYPE}${headers}${sized(body)}\r\n${body}`;
}

function sequence(
  name: string,
  text: (username: string) => string,
  ...statuses: number[]
): FramingCase {
  return whole('several requests', name, text, ...statuses);
}

const sequences: readonly FramingCase[] = [
  sequence('two orders', (username) => order(username) + order(`${username}b`), 200, 200),
  sequence(
    'five orders',
    (username) => [1, 2, 3, 4, 5].map((i) => order(`${username}${i}`)).join(''),
    200,
    200,
    200,
    200,
    200,
  ),
  sequence(
    'an order and GET',
    (username) => `${order(username)}GET / HTTP/1.1\r\n${HOST}\r\n`,
    200,
    404,
  ),
  sequence(
    'GET and an order',
    (username) => `GET / HTTP/1.1\r\n${HOST}\r\n${order(username)}`,
    404,
    200,
  ),
  sequence(
    'an order and bytes that are not HTTP',
    (username) => `${order(username)}X Y\r\n\r\n`,
    200,
    400,
  ),
  sequence('an order and NUL bytes', (username) => `${order(username)}\0\0\0`, 200, 400),
  sequence(
    'an order and HTTP/1.0',
    (username) => `${order(username)}GET / HTTP/1.0\r\n\r\n`,
    200,
    404,
  ),
  sequence(
    'an order and no Host',
    (username) => `${order(username)}GET / HTTP/1.1\r\n\r\n`,
    200,
    400,
  ),
  sequence(
    'an order and both lengths',
    (username) => `${order(username)}${LINE}${HOST}${CHUNKED}Content-Length: 3\r\n\r\n`,
    200,
    400,
  ),
  sequence(
    'an order and 9 KB of headers',
    (username) => `${order(username)}GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(9000)}\r\n\r\n`,
    200,
    431,
  ),
  sequence(
    'an order and the preface of HTTP/2',
    (username) => `${order(username)}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
    200,
    400,
  ),
  sequence(
    'an order and CONNECT',
    (username) => `${order(username)}CONNECT x:1 HTTP/1.1\r\n${HOST}\r\n`,
    200,
    404,
  ),
  sequence('an order and an unfinished head', (username) => `${order(username)}POST /or`, 200, 400),
  sequence('an order and CRLF', (username) => `${order(username)}\r\n\r\n`, 200),
  sequence('an order whose body is too long', (username) => `${order(username)}}`, 200, 400),
  sequence(
    'an order, then one after Connection: close',
    (username) => `${order(username, 'Connection: close\r\n')}${order(`${username}b`)}`,
    200,
  ),
  sequence(
    'HTTP/1.0 and one more',
    (username) => `${order(username, '', '1.0')}${order(`${username}b`)}`,
    200,
  ),
  sequence(
    'HTTP/1.0 with keep-alive and one more',
    (username) => `${order(username, 'Connection: keep-alive\r\n', '1.0')}${order(`${username}b`)}`,
    200,
    200,
  ),
  sequence('the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400),
  sequence(
    'an order in the body of a wrong path',
    (username) => {
      const inner = order(username);
      return `POST /x HTTP/1.1\r\n${HOST}Content-Length: ${inner.length}\r\n\r\n${inner}`;
    },
    404,
  ),
  sequence(
    'an order behind GET with Content-Length: 0',
    (username) => `GET /x HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n${order(username)}`,
    404,
    200,
  ),
  sequence(
    'an order in the chunked body of GET',
    (username) => `GET /x HTTP/1.1\r\n${HOST}${CHUNKED}\r\n${chunks(order(username))}`,
    404,
  ),
  sequence(
    'HTTP/1.0 in chunks',
    (username) =>
      `POST /orders HTTP/1.0\r\n${HOST}${JSON_TYPE}${CHUNKED}\r\n${CHUNKED_BODY(username)}`,
    400,
  ),
  sequence(
    'HTTP/1.0 without Host',
    (username) =>
      `POST /orders HTTP/1.0\r\n${JSON_TYPE}${sized(orderBody(username))}\r\n${orderBody(username)}`,
    200,
  ),
  sequence('HTTP/1.0 with two Hosts', (username) => order(username, HOST, '1.0'), 400),
  sequence(
    'GET that waits for 100 Continue, and an order',
    (username) => `GET /x HTTP/1.1\r\n${HOST}Expect: 100-continue\r\n\r\n${order(username)}`,
    404,
  ),
  sequence(
    'an order that waits for 100 Continue, and another',
    (username) => order(username, 'Expect: 100-continue\r\n') + order(`${username}b`),
    200,
    200,
  ),
  sequence(
    'no body where one is announced',
    () => `${LINE}${HOST}${JSON_TYPE}${sized(orderBody('x'))}\r\n`,
    400,
  ),
  sequence(
    'no length',
    (username) => `${LINE}${HOST}${JSON_TYPE}\r\n${orderBody(username)}`,
    400,
    400,
  ),
];

const ends: readonly FramingCase[] = [
  {
    ...sequence("an order, then the end of the client's side", (username) => order(username), 200),
    isHalfClosed: true,
  },
  {
    ...sequence(
      'two orders, then the end',
      (username) => order(username) + order(`${username}b`),
      200,
      200,
    ),
    isHalfClosed: true,
  },
  {
    ...sequence(
      'an order without its last byte, then the end',
      (username) => order(username).slice(0, -1),
      400,
    ),
    isHalfClosed: true,
  },
  {
    ...sequence(
      'an order and a part of another, then the end',
      (username) => `${order(username)}POST`,
      200,
      400,
    ),
    isHalfClosed: true,
  },
  {
    ...sequence(
      'chunks without an end, then the end',
      (username) =>
        `${LINE}${HOST}${JSON_TYPE}${CHUNKED}\r\n${CHUNKED_BODY(username).slice(0, -2)}`,
      400,
    ),
    isHalfClosed: true,
  },
];

/** A valid order in two segments, cut at every byte: with Content-Length, and in chunks. */
function cuts(): FramingCase[] {
  const found: FramingCase[] = [];
  for (const [name, text] of [
    ['Content-Length', (username: string) => order(username)],
    [
      'chunks',
      (username: string) => `${LINE}${HOST}${JSON_TYPE}${CHUNKED}\r\n${CHUNKED_BODY(username)}`,
    ],
  ] as const) {
    const bytes = Buffer.from(text('user-000'), 'latin1').length;
    for (let at = 1; at < bytes; at++) {
      const pieces = (username: string) => {
        const all = Buffer.from(text(username), 'latin1');
        return [all.subarray(0, at), all.subarray(at)];
      };
      found.push({ group: `cut: ${name}`, name: `at ${at}`, pieces, statuses: [200] });
    }
  }
  return found;
}

export const CONNECTION_CASES: readonly FramingCase[] = [...sequences, ...ends, ...cuts()];
