import type { IncomingMessage, ServerResponse } from 'node:http';

/** No resources from other origins, no inline code, no framing. Sent with every response, because none needs more. */
const POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self'",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

const SECURITY_HEADERS = {
  'Content-Security-Policy': policy({}),
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
} as const;

/** For a page with a form that is sent to this server. */
export const FORM_HEADERS = {
  'Content-Security-Policy': policy({ 'form-action': "'self'" }),
  // With no-referrer, browsers send forms with the origin null, which is that of no page.
  'Referrer-Policy': 'same-origin',
} as const;

function policy(other: Partial<typeof POLICY>): string {
  return Object.entries({ ...POLICY, ...other })
    .map((pair) => pair.join(' '))
    .join('; ');
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function json(status: number, body: object, headers = {}): Answer {
  return { status, type: 'application/json', body: JSON.stringify(body), headers };
}

/** For HEAD, Node leaves out the body and keeps its length. */
export function send(response: ServerResponse, { status, type, body, headers }: Answer): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...SECURITY_HEADERS,
    ...headers,
  });
  response.end(body);
}

/** @returns the answer to another method; null if the request has one of these */
export function otherMethod(
  { method }: IncomingMessage,
  allowed: readonly string[],
): Answer | null {
  if (allowed.includes(method!)) return null;
  return json(405, { result: 'method-not-allowed' }, { Allow: allowed.join(', ') });
}

/** @returns the body as text; null if it is longer, or the client ends before */
export async function bodyOf(request: IncomingMessage, bytesMax: number): Promise<string | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request) {
      bytes += (part as Buffer).length;
      if (bytes > bytesMax) return null;
      parts.push(part as Buffer);
    }
  } catch {
    return null;
  }
  return Buffer.concat(parts).toString('utf8');
}
