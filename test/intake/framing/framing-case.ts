/** How a request of the framing tests is written down, byte for byte. */
import { orderBody } from '../../support/orders.js';

export interface FramingCase {
  readonly group: string;
  readonly name: string;
  /** Sent one after the other, in segments of their own. */
  readonly pieces: (username: string) => readonly Uint8Array[];
  /** The statuses that node:http answers, in order. */
  readonly statuses: readonly number[];
  /** The client ends its side after the last piece. */
  readonly isHalfClosed?: boolean;
}

export const JSON_TYPE = 'Content-Type: application/json\r\n';
export const LINE = 'POST /orders HTTP/1.1\r\n';
export const HOST = 'Host: x\r\n';

type Body = (username: string) => string;
const plain: Body = orderBody;

export function sized(body: string): string {
  return `Content-Length: ${body.length}\r\n`;
}

/** One chunk, and the end of the body. */
export function chunks(body: string, extension = ''): string {
  return `${body.length.toString(16)}${extension}\r\n${body}\r\n0\r\n\r\n`;
}

export const CHUNKED = 'Transfer-Encoding: chunked\r\n';

/** All in one segment. */
export function whole(
  group: string,
  name: string,
  text: (username: string) => string,
  ...statuses: number[]
): FramingCase {
  return { group, name, statuses, pieces: (username) => [Buffer.from(text(username), 'latin1')] };
}

/** A request of which only the header lines vary. `body` follows as it is. */
export function withHeaders(
  group: string,
  lines: string | ((body: string) => string),
  statuses: readonly number[],
  body: Body = plain,
): FramingCase {
  const text = (username: string) => {
    const bytes = body(username);
    const headers = typeof lines === 'string' ? lines : lines(bytes);
    return `${LINE}${HOST}${JSON_TYPE}${headers}\r\n${bytes}`;
  };
  const shown = typeof lines === 'string' ? lines : lines(plain('user'));
  return whole(group, JSON.stringify(shown), text, ...statuses);
}

export const CHUNKED_BODY: Body = (username) => chunks(orderBody(username));
