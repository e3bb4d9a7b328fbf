/** Where the body ends: Content-Length, Transfer-Encoding, chunks and trailers. */
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
  withHeaders,
} from './framing-case.js';

const lengths: readonly FramingCase[] = [
  ...['', ' ', '+60', '-1', '0x3c', '6 0', '60.0', '1e2', 'abc', '60,', ',60', '60, 61', '٦٠'].map(
    (value) => withHeaders('Content-Length', `Content-Length: ${value}\r\n`, [400]),
  ),
  ...['99999999999999999999', '18446744073709551676', '-18446744073709551556'].map((value) =>
    withHeaders('Content-Length', `Content-Length: ${value}\r\n`, [400]),
  ),
  ...[
    (body: string) => `Content-Length: ${body.length}, ${body.length}\r\n`,
    (body: string) => `Content-Length: ${body.length},${body.length}\r\n`,
    (body: string) => `${sized(body)}${sized(body)}`,
    (body: string) => `${sized(body)}Content-Length: 5\r\n`,
    (body: string) => `Content-Length: 5\r\n${sized(body)}`,
    (body: string) => `${sized(body)}content-length: 0\r\n`,
    (body: string) => `Content-Length: 0\r\n${sized(body)}`,
    (body: string) => `${sized(body)}Content-Length:\r\n`,
    (body: string) => `Content-Length\t: ${body.length}\r\n`,
    (body: string) => `Content-Length : ${body.length}\r\n`,
    (body: string) => ` Content-Length: ${body.length}\r\n`,
    (body: string) => `Content-Length: ${body.length}\x0b\r\n`,
    (body: string) => `Content-Length: ${body.length}\0\r\n`,
    (body: string) => `Content-Length: \r\n ${body.length}\r\n`,
    (body: string) => `Content-Length: ${body.length}\r\n 0\r\n`,
    (body: string) => `Content-Length: ${body.length}\r\n\t, 5\r\n`,
    (body: string) => `Content-Length:${body.length}\n`,
    (body: string) => `Content_Length: ${body.length}\r\nContent-Length: 5, 5\r\n`,
  ].map((lines) => withHeaders('Content-Length', lines, [400])),
  ...[
    (body: string) => `Content-Length:${body.length}\r\n`,
    (body: string) => `CONTENT-LENGTH: ${body.length}\r\n`,
    (body: string) => `content-length:  ${body.length}  \r\n`,
    (body: string) => `Content-Length: 000${body.length}\r\n`,
  ].map((lines) => withHeaders('Content-Length', lines, [200])),
];

const codings: readonly FramingCase[] = [
  ...['', ' ', 'identity, chunked, ', 'chunked, identity', '\tchunked\t'].map((value) =>
    withHeaders('Transfer-Encoding', `Transfer-Encoding: ${value}\r\n`, [400], CHUNKED_BODY),
  ),
  ...['chunked\x0b', 'chunked\0', '\x0bchunked', 'chunked, ', 'chunked, chunked'].map((value) =>
    withHeaders('Transfer-Encoding', `Transfer-Encoding: ${value}\r\n`, [400], CHUNKED_BODY),
  ),
  ...['gzip, chunked', 'identity, chunked', 'x, chunked', 'identity', 'chunke', 'xchunked'].map(
    (value) =>
      withHeaders('Transfer-Encoding', `Transfer-Encoding: ${value}\r\n`, [501], CHUNKED_BODY),
  ),
  ...[
    `${CHUNKED}${CHUNKED}`,
    `${CHUNKED}Transfer-Encoding: identity\r\n`,
    `Transfer-Encoding: identity\r\n${CHUNKED}`,
    `Transfer-Encoding: gzip\r\n${CHUNKED}`,
    `Transfer-Encoding:\r\n${CHUNKED}`,
    'Transfer-Encoding : chunked\r\n',
    'Transfer-Encoding\t: chunked\r\n',
    ' Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding:\r\n chunked\r\n',
    'Transfer-Encoding: chunked\r\n , identity\r\n',
    'Transfer-Encoding:chunked\n',
    'Transfer-Encoding: chun\rked\r\n',
  ].map((lines) => withHeaders('Transfer-Encoding', lines, [400], CHUNKED_BODY)),
  ...['chunked;q=1', '"chunked"'].map((value) =>
    withHeaders('Transfer-Encoding', `Transfer-Encoding: ${value}\r\n`, [501], CHUNKED_BODY),
  ),
  ...['chunked', 'CHUNKED', 'Chunked', '  chunked', 'chunked  '].map((value) =>
    withHeaders('Transfer-Encoding', `Transfer-Encoding: ${value}\r\n`, [200], CHUNKED_BODY),
  ),
];

const both: readonly FramingCase[] = [
  ...[
    CHUNKED,
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding:\r\n',
    'Transfer-Encoding: x\r\n',
  ].flatMap((coding) => [
    withHeaders('both lengths', (body) => `${sized(body)}${coding}`, [400]),
    withHeaders('both lengths', (body) => `${coding}${sized(body)}`, [400]),
    withHeaders('both lengths', `Content-Length: 5\r\n${coding}`, [400], CHUNKED_BODY),
    withHeaders('both lengths', `${coding}Content-Length: 0\r\n`, [400], CHUNKED_BODY),
  ]),
];

/** A chunked body in place of the usual one. */
function chunked(name: string, body: (order: string) => string, ...statuses: number[]) {
  const text = (username: string) =>
    `${LINE}${HOST}${JSON_TYPE}${CHUNKED}\r\n${body(orderBody(username))}`;
  return whole('chunks', name, text, ...statuses);
}

const chunkSizes: readonly FramingCase[] = [
  ...['g', ' ', '  ', '+', '0x', '-', ',', '.', '\x0b'].map((before) =>
    chunked(`size after ${JSON.stringify(before)}`, (order) => `${before}${chunks(order)}`, 400),
  ),
  ...['g', 'x', ' x', '+', ',', '.0', '\0', '\x0b', '=', 'h', '\r'].map((after) =>
    chunked(`size before ${JSON.stringify(after)}`, (order) => chunks(order, after), 400),
  ),
  ...[';', ';;', '; a', ';"', ';a="'].map((after) =>
    chunked(`size before ${JSON.stringify(after)}`, (order) => chunks(order, after), 400),
  ),
  ...[';a', ';a=b', ';a="b c"', ';=', ';a='].map((after) =>
    chunked(`size before ${JSON.stringify(after)}`, (order) => chunks(order, after), 200),
  ),
  ...['f'.repeat(16), '1'.repeat(17), 'ffffffffffffffff0', '-1', '100000000000000ff'].map((size) =>
    chunked(`size ${size}`, (order) => `${size}\r\n${order}\r\n0\r\n\r\n`, 400),
  ),
  chunked(
    'size in upper case',
    (order) => chunks(order).replace(/^\w+/, (size) => size.toUpperCase()),
    200,
  ),
  chunked('size with leading zeros', (order) => `000${chunks(order)}`, 200),
  chunked('no size', (order) => `\r\n${order}\r\n0\r\n\r\n`, 400),
  chunked('size one too small', (order) => chunksOf(order, order.length - 1), 400),
  chunked('size one too large', (order) => chunksOf(order, order.length + 1), 400),
  chunked('LF after the size', (order) => chunks(order).replace('\r\n', '\n'), 400),
  chunked('CR after the size', (order) => chunks(order).replace('\r\n', '\r'), 400),
  chunked('two CR after the size', (order) => chunks(order).replace('\r\n', '\r\r\n'), 400),
  chunked(
    'LF after the data',
    (order) => `${order.length.toString(16)}\r\n${order}\n0\r\n\r\n`,
    400,
  ),
  chunked(
    'nothing after the data',
    (order) => `${order.length.toString(16)}\r\n${order}0\r\n\r\n`,
    400,
  ),
  chunked(
    'CR CR after the data',
    (order) => `${order.length.toString(16)}\r\n${order}\r\r0\r\n\r\n`,
    400,
  ),
  chunked(
    'LF after the last size',
    (order) => `${order.length.toString(16)}\r\n${order}\r\n0\n\r\n`,
    400,
  ),
  chunked('LF at the end', (order) => `${order.length.toString(16)}\r\n${order}\r\n0\r\n\n`, 400),
  chunked('last size 00', (order) => `${order.length.toString(16)}\r\n${order}\r\n00\r\n\r\n`, 200),
  chunked(
    'two chunks',
    (order) => `1\r\n{\r\n${(order.length - 1).toString(16)}\r\n${order.slice(1)}\r\n0\r\n\r\n`,
    200,
  ),
  chunked('no end', (order) => `${order.length.toString(16)}\r\n${order}\r\n`, 400),
  chunked(
    'no end of the trailers',
    (order) => `${order.length.toString(16)}\r\n${order}\r\n0\r\n`,
    400,
  ),
  chunked('no data', () => '0\r\n\r\n', 400),
];

function chunksOf(order: string, size: number): string {
  return `${size.toString(16)}\r\n${order}\r\n0\r\n\r\n`;
}

/** An order in one chunk, with these trailers. */
function trailers(lines: string, ...statuses: number[]): FramingCase {
  const body = (order: string) => `${order.length.toString(16)}\r\n${order}\r\n0\r\n${lines}\r\n`;
  return { ...chunked(JSON.stringify(lines), body, ...statuses), group: 'trailers' };
}

const trailing: readonly FramingCase[] = [
  trailers('X-Sum: 1\r\n', 200),
  trailers('X-Sum: 1\r\nX-More: 2\r\n', 200),
  trailers('Idempotency-Key: k\r\n', 200),
  trailers('x\r\n', 400),
  trailers('X-Sum : 1\r\n', 400),
  trailers('X-Sum: \0\r\n', 400),
  trailers(`X-Sum: ${'x'.repeat(9000)}\r\n`, 431),
  trailers('Content-Length: 5\r\n', 400),
  trailers('Transfer-Encoding: chunked\r\n', 400),
];

export const BODY_CASES: readonly FramingCase[] = [
  ...lengths,
  ...codings,
  ...both,
  ...chunkSizes,
  ...trailing,
];
