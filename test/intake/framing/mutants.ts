/** Valid requests with a few random changes, most of them in what frames the request. */

import type { Random } from '../../../drills/ledger/random.js';
import { orderBody } from '../../support/orders.js';
import { CHUNKED, chunks, HOST, JSON_TYPE, LINE, sized } from './framing-case.js';

const CHANGES_MAX = 4;

/** What is put in, at any place. */
const TOKENS = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    '\0',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '+',
    '0x',
    '\x7f',
    '\x80',
    '\xff',
  ],
  ...[
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n',
    'Content-Length: 5, 5\r\n',
    'content-length:\r\n',
  ],
  ...[
    CHUNKED,
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
    'transfer-encoding:x\r\n',
  ],
  ...[
    HOST,
    'Host: y\r\n',
    'Expect: 100-continue\r\n',
    'Connection: close\r\n',
    'Connection: Upgrade\r\n',
  ],
  ...[
    'X: 1\r\n 2\r\n',
    'X : 1\r\n',
    'Idempotency-Key: k\r\n',
    'HTTP/1.0',
    'HTTP/2.0',
    'GET ',
    'POST ',
    '/orders',
  ],
  ...[
    '0\r\n\r\n',
    '5\r\n',
    'fffffffff\r\n',
    '0\r\nX: 1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'X Y\r\n\r\n',
  ],
];

function valid(random: Random, username: string): string {
  const body = orderBody(username);
  const key = random.once(4) ? `Idempotency-Key: ${username}\r\n` : '';
  const extra = random.once(3) ? 'User-Agent: fuzz\r\nAccept: */*\r\n' : '';
  const head = `${LINE}${HOST}${JSON_TYPE}${key}${extra}`;
  switch (random.below(6)) {
    case 0:
      return `${head}${CHUNKED}\r\n${chunks(body)}`;
    case 1:
      return `${head}${CHUNKED}\r\n1\r\n{\r\n${chunks(body.slice(1))}`;
    case 2:
      return `GET /orders/${username} HTTP/1.1\r\n${HOST}\r\n`;
    default:
      return `${head}${sized(body)}\r\n${body}`;
  }
}

/** One to three requests in a row, with up to four changes; latin1: a character is a byte. */
export function mutant(random: Random, username: string): string {
  let text = valid(random, username);
  for (let i = 1; random.once(3) && i < 3; i++) text += valid(random, `${username}.${i}`);
  for (let left = random.below(CHANGES_MAX + 1); left > 0; left--) text = change(random, text);
  return text;
}

function change(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const length = 1 + random.below(random.once(3) ? 40 : 3);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  switch (random.below(8)) {
    case 0:
      return before + String.fromCharCode(random.below(256)) + after.slice(1);
    case 1:
      return before + String.fromCharCode(random.below(256)) + after;
    case 2:
      return before + after.slice(length);
    case 3:
      return before + after.slice(0, length) + after;
    case 4:
      return before;
    default:
      return insertAtLine(random, text);
  }
}

/** Most tokens only mean something where a line begins or ends. */
function insertAtLine(random: Random, text: string): string {
  const breaks = Array.from(text.matchAll(/\r\n/g), ({ index }) => index);
  const line = breaks.length === 0 ? 0 : random.pick(breaks);
  const at = line + (random.once(2) ? 2 : 0);
  return text.slice(0, at) + random.pick(TOKENS) + text.slice(at);
}
