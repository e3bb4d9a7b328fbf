import { LIMIT_STATUSES } from '../model/options.js';
import type { Specs } from './spec.js';

/** A header name (RFC 9110, 5.1). */
const HEADER = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}";

/** Who may send, and what of a request besides its body counts. */
export const senderSchema = {
  apiKeys: {
    type: 'text',
    unit: 'file',
    pattern: '^[^\\0]*$',
    patternText: 'a file with a name and the SHA-256 of a key in each line',
    default: '',
    group: 'Senders',
    help: 'only requests with one of these API keys are taken; a changed file is taken up within seconds; forebay keys new NAME makes a key',
  },
  limitStatus: {
    type: 'choice',
    choices: LIMIT_STATUSES,
    default: '500',
    group: 'Senders',
    help: 'status of a request beyond --rps-limit; 429 and 503 say when to retry',
  },
  verify: {
    type: 'text',
    unit: 'scheme',
    pattern: '^(?:standard-webhooks|stripe|shopify|github|hmac:[ -~]+)?$',
    patternText: 'standard-webhooks, stripe, shopify, github or hmac:header=NAME with its details',
    default: '',
    group: 'Senders',
    help: 'only requests whose body is signed in this way are taken: standard-webhooks, stripe, shopify, github or hmac:header=NAME,…',
  },
  verifySecrets: {
    type: 'text',
    unit: 'file',
    pattern: '^[^\\0]*$',
    patternText: 'a file with one signing secret in each line',
    default: '',
    group: 'Senders',
    help: 'the secrets of --verify, one in each line; a changed file is taken up within seconds',
  },
  idempotencyFrom: {
    type: 'text',
    unit: 'place',
    pattern: `^(?:/[^\\0]*|(?:header:)?${HEADER})?$`,
    patternText: 'a JSON pointer such as /id, or the name of a header',
    default: '',
    group: 'Senders',
    help: 'where requests without Idempotency-Key carry their key: a JSON pointer into the body, such as /id, or a header, such as X-GitHub-Delivery',
  },
  keepHeaders: {
    type: 'list',
    unit: 'names',
    pattern: `^${HEADER}$`,
    patternText: 'names of headers',
    default: [],
    group: 'Senders',
    help: 'headers that are stored with each order and passed to the handler as order.headers, at most 16',
  },
} as const satisfies Partial<Specs>;
