/** The head of a request: Host, header lines, request line. */
import { orderBody } from '../../support/orders.js';
import {
  type FramingCase,
  HOST,
  JSON_TYPE,
  LINE,
  sized,
  whole,
  withHeaders,
} from './framing-case.js';

/** A request with these lines in place of Host. */
function hosts(lines: string, ...statuses: number[]): FramingCase {
  const text = (username: string) => {
    const body = orderBody(username);
    return `${LINE}${lines}${JSON_TYPE}${sized(body)}\r\n${body}`;
  };
  return whole('Host', JSON.stringify(lines), text, ...statuses);
}

const hostLines: readonly FramingCase[] = [
  ...['', 'Host:\r\n', 'Host: \r\n', 'Host: x\r\nHost: x\r\n', 'Host: x\r\nHost: y\r\n'].map(
    (lines) => hosts(lines, 400),
  ),
  ...[
    'Host: x\r\nhost: x\r\n',
    'Host : x\r\n',
    'Host: a b\r\n',
    'Host: a,b\r\n',
    'Host: x/y\r\n',
  ].map((lines) => hosts(lines, 400)),
  ...['Host: u@x\r\n', 'Host: x:y\r\n', 'Host: x#\r\n', 'Host: x\\\r\n', 'Host: \x80\r\n'].map(
    (lines) => hosts(lines, 400),
  ),
  ...[
    'Host: x:80\r\n',
    'Host: x:\r\n',
    'Host: [::1]:80\r\n',
    'Host: 127.0.0.1\r\n',
    'HOST: X\r\n',
  ].map((lines) => hosts(lines, 200)),
];

/** A valid order with one more header line. */
function line(text: string, ...statuses: number[]): FramingCase {
  return {
    ...withHeaders('header lines', (body) => `${sized(body)}${text}`, statuses),
    name: JSON.stringify(text),
  };
}

const headerLines: readonly FramingCase[] = [
  ...[
    'X\r\n',
    ': x\r\n',
    'X Y: 1\r\n',
    'X\0: 1\r\n',
    'X: \0\r\n',
    'X: a\x01b\r\n',
    'X: a\x7f\r\n',
  ].map((text) => line(text, 400)),
  ...['X: 1\n', 'X: 1\r', 'X: 1\rY: 2\r\n', 'X: 1\n\r\n', '\rX: 1\r\n', 'X: 1\r\r\n', '\n'].map(
    (text) => line(text, 400),
  ),
  ...[
    'X: 1\r\n 2\r\n',
    'X: 1\r\n\t2\r\n',
    ' X: 1\r\n',
    'X(): 1\r\n',
    'X\x80: 1\r\n',
    'X[]: 1\r\n',
  ].map((text) => line(text, 400)),
  ...[
    'X:\r\n',
    'X: \r\n',
    'X:1\r\n',
    'X: \t1\t \r\n',
    'X: a:b\r\n',
    'X: \xe9\r\n',
    "X!#$%&'*+-.^_`|~1: 1\r\n",
  ].map((text) => line(text, 200)),
  line(`${'X: 1\r\n'.repeat(40)}`, 200),
  line(`X: ${'x'.repeat(3000)}\r\n`, 200),
  line(`X: ${'x'.repeat(9000)}\r\n`, 431),
  line(`X: ${'x'.repeat(90_000)}\r\n`, 431),
  line(`${'x'.repeat(9000)}: 1\r\n`, 431),
  line(`${'X: 1\r\n'.repeat(3000)}`, 431),
];

/** A valid order with another request line. */
function requestLine(text: string, ...statuses: number[]): FramingCase {
  const request = (username: string) => {
    const body = orderBody(username);
    return `${text}${HOST}${JSON_TYPE}${sized(body)}\r\n${body}`;
  };
  return whole('request line', JSON.stringify(text), request, ...statuses);
}

const requestLines: readonly FramingCase[] = [
  ...[
    'HTTP/1.2',
    'HTTP/1.10',
    'HTTP/01.1',
    'HTTP/3.0',
    'HTTP/1',
    'HTTP/1.',
    'HTTP/.1',
    'HTTP/11',
  ].map((version) => requestLine(`POST /orders ${version}\r\n`, 505)),
  ...['HTTP/2.0', 'HTTP/0.9'].map((version) => requestLine(`POST /orders ${version}\r\n`, 505)),
  ...['http/1.1', 'HTTP /1.1', 'HTTP\\1.1', 'ICE/1.1'].map((version) =>
    requestLine(`POST /orders ${version}\r\n`, 400),
  ),
  ...['HTTP/1.1 ', 'HTTP/1.1 x', 'HTTP/1.1\t'].map((version) =>
    requestLine(`POST /orders ${version}\r\n`, 505),
  ),
  requestLine('POST /orders  HTTP/1.1\r\n', 200),
  requestLine('POST  /orders HTTP/1.1\r\n', 200),
  requestLine('POST /orders\r\n', 505),
  requestLine('POST /orders HTTP/1.1\n', 505),
  requestLine('POST /orders HTTP/1.1\r', 400),
  ...['post', 'POSt', 'POST\0', 'P OST', 'POST\t', '\x16\x03\x01POST', 'FOO', ''].map((method) =>
    requestLine(`${method} /orders HTTP/1.1\r\n`, 400),
  ),
  ...['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'].map((method) =>
    requestLine(`${method} /orders HTTP/1.1\r\n`, 405),
  ),
  ...['/or ders', '/orders\0', '/orders\t', 'orders', '/orders\x7f'].map((target) =>
    requestLine(`POST ${target} HTTP/1.1\r\n`, 400),
  ),
  ...[
    '/orders/',
    '//orders',
    '/orders%00',
    '/ORDERS',
    '/orders#x',
    '/',
    '/%6frders',
    '*',
    'http://x',
  ].map((target) => requestLine(`POST ${target} HTTP/1.1\r\n`, 404)),
  ...[
    '/orders',
    '/orders?',
    '/orders?a=b',
    'http://x/orders',
    'HTTP://x:80/orders?a',
    'https://x/orders',
  ].map((target) => requestLine(`POST ${target} HTTP/1.1\r\n`, 200)),
  requestLine(`POST /orders?${'x'.repeat(3000)} HTTP/1.1\r\n`, 200),
  requestLine(`POST /orders?${'x'.repeat(9000)} HTTP/1.1\r\n`, 431),
  requestLine('\r\nPOST /orders HTTP/1.1\r\n', 200),
  requestLine('\r\n\r\nPOST /orders HTTP/1.1\r\n', 200),
  requestLine('\nPOST /orders HTTP/1.1\r\n', 200),
  requestLine(' POST /orders HTTP/1.1\r\n', 400),
];

export const HEAD_CASES: readonly FramingCase[] = [...hostLines, ...headerLines, ...requestLines];
