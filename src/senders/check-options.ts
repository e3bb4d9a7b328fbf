import { EXIT, OperatorFault } from '../model/fault.js';
import type { Options } from '../model/options.js';
import { schemeOf } from './signatures/choose.js';
import type { SignatureScheme } from './signatures/scheme.js';

/** Of `--keep-headers`. */
const KEPT_NAMES_MAX = 16;

/** Headers that hold a secret, or prove that the sender knows one. They must not be stored. */
const SECRET_HEADERS = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'webhook-signature',
  'svix-signature',
  'stripe-signature',
  'x-shopify-hmac-sha256',
  'x-hub-signature',
  'x-hub-signature-256',
];

/** @throws OperatorFault `--verify` or `--keep-headers` cannot be used */
export function checkSenderOptions({
  verify,
  keepHeaders,
}: Pick<Options, 'verify' | 'keepHeaders'>): void {
  const scheme = verify === '' ? null : requireScheme(verify);
  const names = new Set(keepHeaders.map((name) => name.toLowerCase()));
  if (names.size > KEPT_NAMES_MAX) {
    throw fault(`--keep-headers: ${names.size} names; fix: name at most ${KEPT_NAMES_MAX}`);
  }
  const signatures = scheme?.headerSets.map(([signature]) => signature!) ?? [];
  const secret = [...SECRET_HEADERS, ...signatures].find((name) => names.has(name));
  if (secret === undefined) return;
  throw fault(`--keep-headers ${secret}: it holds a secret or a signature; fix: leave it out`);
}

/** @throws OperatorFault there is no such scheme */
export function requireScheme(verify: string): SignatureScheme {
  try {
    return schemeOf(verify);
  } catch (error) {
    const why = (error as Error).message;
    throw fault(`--verify ${verify}: ${why}; fix: see docs/guides/receiving-webhooks.md`);
  }
}

function fault(message: string): OperatorFault {
  return new OperatorFault(message, EXIT.usage);
}
