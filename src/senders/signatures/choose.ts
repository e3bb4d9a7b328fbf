import { CUSTOM_PREFIX, customScheme } from './custom.js';
import { github, shopify, standardWebhooks, stripe } from './providers.js';
import type { SignatureScheme } from './scheme.js';

/** The schemes that `--verify` knows by name. */
const SCHEMES: Readonly<Record<string, SignatureScheme>> = {
  'standard-webhooks': standardWebhooks,
  stripe,
  shopify,
  github,
};

/** @param value of `--verify`. @throws Error says what is wrong with it */
export function schemeOf(value: string): SignatureScheme {
  if (value.startsWith(CUSTOM_PREFIX)) return customScheme(value);
  if (Object.hasOwn(SCHEMES, value)) return SCHEMES[value]!;
  throw new Error(`must be ${Object.keys(SCHEMES).join(', ')} or ${CUSTOM_PREFIX}header=…`);
}
