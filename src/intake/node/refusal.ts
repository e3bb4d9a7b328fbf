/** An answer to what is not a valid HTTP request. The connection ends after it. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly body: string;
}

function refusal(status: number, reason: string, result: string): Refusal {
  return { status, reason, body: `{"result":"${result}"}` };
}

export const refusals = {
  badRequest: refusal(400, 'Bad Request', 'bad-request'),
  notFound: refusal(404, 'Not Found', 'not-found'),
  timeout: refusal(408, 'Request Timeout', 'timeout'),
  expectation: refusal(417, 'Expectation Failed', 'expectation-failed'),
  headersTooLarge: refusal(431, 'Request Header Fields Too Large', 'headers-too-large'),
  transferEncoding: refusal(501, 'Not Implemented', 'transfer-encoding'),
  httpVersion: refusal(505, 'HTTP Version Not Supported', 'http-version'),
} as const satisfies Record<string, Refusal>;

/** The answer to an error of the parser of node:http; null if the connection is lost, so that nothing can be answered. */
export function refusalOf({ code }: NodeJS.ErrnoException): Refusal | null {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return refusals.headersTooLarge;
    case 'HPE_INVALID_VERSION':
      return refusals.httpVersion;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refusals.timeout;
    default:
      return code?.startsWith('HPE_') ? refusals.badRequest : null;
  }
}

/** The header lines of a refusal, as name and value in turn. */
export function refusalHeaders({ body }: Refusal): string[] {
  return [
    ...['Content-Type', 'application/json'],
    ...['Content-Length', String(body.length)],
    ...['Connection', 'close'],
  ];
}

/** The whole answer as it is sent. */
export function refusalText(refused: Refusal): string {
  const headers = refusalHeaders(refused);
  const lines = [`HTTP/1.1 ${refused.status} ${refused.reason}`];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n${refused.body}`;
}
