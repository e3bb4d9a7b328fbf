/**
 * Every answer to a POST to `--path`: status line, exact body, and whether the client should retry. If several apply,
 * the first one wins.
 */
export interface Answer {
  readonly status: Status;
  readonly statusLine: string;
  readonly body: string;
  readonly retryable: boolean;
}

function answer(status: Status, reason: string, result: string, retryable: boolean): Answer {
  return { status, statusLine: `${status} ${reason}`, body: `{"result":"${result}"}`, retryable };
}

export const answers = {
  notFound: answer(404, 'Not Found', 'not-found', false),
  methodNotAllowed: answer(405, 'Method Not Allowed', 'method-not-allowed', false),
  unauthorized: answer(401, 'Unauthorized', 'unauthorized', false),
  rateLimited: answer(429, 'Too Many Requests', 'rate-limited', true),
  serverKaput: answer(500, 'Internal Server Error', 'server-kaput', true),
  unsupportedMediaType: answer(415, 'Unsupported Media Type', 'unsupported-media-type', false),
  headersTooLarge: answer(431, 'Request Header Fields Too Large', 'headers-too-large', false),
  tooLarge: answer(413, 'Content Too Large', 'too-large', false),
  invalid: answer(400, 'Bad Request', 'invalid', false),
  keyReused: answer(422, 'Unprocessable Content', 'key-reused', false),
  busy: answer(503, 'Service Unavailable', 'busy', true),
  created: answer(200, 'OK', 'created', false),
} as const satisfies Record<string, Answer>;

/** The statuses of the table, in its order. The metrics have one cell for each. */
export const STATUSES = [404, 405, 401, 429, 500, 415, 431, 413, 400, 422, 503, 200] as const;
export type Status = (typeof STATUSES)[number];
