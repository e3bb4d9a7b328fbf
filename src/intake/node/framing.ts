import type { IncomingMessage } from 'node:http';
import { type Refusal, refusals } from './refusal.js';

/**
 * `host` or `host:port` (RFC 3986, 3.2.2). Without a comma, which the RFC allows in a name, because proxies join two headers
 * with it.
 */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~%!$&'()*+;=-]+)(?::\d*)?$/i;
const DIGITS = /^\d+$/;
const MINOR_VERSION_MAX = 1;
/** As many as Apache accepts. The parser counts bytes only. */
const HEADER_LINES_MAX = 100;

/**
 * What is wrong with the framing of a request: where its body ends, and which host it is for; null if nothing is. Another
 * server in front could read such a request differently (request smuggling), so it is refused (RFC 9112, 3.2 and 6.3). The
 * parser of node:http refuses most of this itself, and passes on the rest.
 */
export function framingFault(request: IncomingMessage): Refusal | null {
  const { rawHeaders, httpVersionMajor, httpVersionMinor } = request;
  if (httpVersionMajor !== 1 || httpVersionMinor > MINOR_VERSION_MAX) return refusals.httpVersion;
  if (rawHeaders.length > 2 * HEADER_LINES_MAX) return refusals.headersTooLarge;
  let hosts = 0;
  let lengths = 0;
  let encoding: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    // The length first, because it rules out most names.
    switch (name.length) {
      case 4:
        if (name.toLowerCase() !== 'host') break;
        if (++hosts > 1 || !HOST.test(rawHeaders[i + 1]!)) return refusals.badRequest;
        break;
      case 14:
        if (name.toLowerCase() !== 'content-length') break;
        if (++lengths > 1 || !DIGITS.test(rawHeaders[i + 1]!)) return refusals.badRequest;
        break;
      case 17:
        if (name.toLowerCase() !== 'transfer-encoding') break;
        if (encoding !== null) return refusals.badRequest;
        encoding = rawHeaders[i + 1]!.toLowerCase();
        break;
    }
  }
  if (hosts === 0 && httpVersionMinor === 1) return refusals.badRequest;
  if (encoding === null) return null;
  // A server of HTTP/1.0 does not know the header, so nobody in front may have looked at it.
  if (lengths > 0 || httpVersionMinor === 0 || encoding === '') return refusals.badRequest;
  return encoding === 'chunked' ? null : refusals.transferEncoding;
}
