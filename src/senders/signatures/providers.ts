import {
  fromBase64,
  fromHex,
  plainKey,
  type SignatureHeaders,
  type SignatureScheme,
  type Signed,
  timeWithin,
} from './scheme.js';

/** Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export const standardWebhooks: SignatureScheme = {
  // The second names are those that Svix used before the standard, and still sends.
  headerSets: [
    ['webhook-signature', 'webhook-id', 'webhook-timestamp'],
    ['svix-signature', 'svix-id', 'svix-timestamp'],
  ],
  keyOf: (secret) => {
    const text = secret.replace(/^whsec_/, '');
    // With or without padding: only what it decodes to is compared.
    return /^[A-Za-z0-9+/]{2,}={0,2}$/.test(text) ? Buffer.from(text, 'base64') : null;
  },
  signed: (headers, nowS) => {
    const prefix = headers['webhook-signature'] === '' ? 'svix' : 'webhook';
    const id = headers[`${prefix}-id`]!;
    const time = headers[`${prefix}-timestamp`]!;
    if (id === '' || timeWithin(time, nowS) === null) return null;
    // `v1,` begins each symmetric signature; others, such as `v1a,`, are of public keys.
    const signatures = headers[`${prefix}-signature`]!.split(' ')
      .filter((each) => each.startsWith('v1,'))
      .map((each) => fromBase64(each.slice(3)));
    return { algorithm: 'sha256', before: `${id}.${time}.`, after: '', signatures };
  },
};

/** Source: https://docs.stripe.com/webhooks/signature */
export const stripe: SignatureScheme = {
  headerSets: [['stripe-signature']],
  keyOf: plainKey,
  signed: (headers, nowS) => {
    const parts = headers['stripe-signature']!.split(',').map((part) => part.trim().split('='));
    const times = parts.filter(([name]) => name === 't');
    const time = times[0]?.[1] ?? '';
    // Two times would leave it open which of them is signed.
    if (times.length !== 1 || timeWithin(time, nowS) === null) return null;
    const signatures = parts.filter(([name]) => name === 'v1').map(([, hex]) => fromHex(hex ?? ''));
    return { algorithm: 'sha256', before: `${time}.`, after: '', signatures };
  },
};

/** Source: https://shopify.dev/docs/apps/build/webhooks/verify-deliveries */
export const shopify: SignatureScheme = {
  headerSets: [['x-shopify-hmac-sha256']],
  keyOf: plainKey,
  signed: (headers) => ofBody(fromBase64(headers['x-shopify-hmac-sha256']!)),
};

const GITHUB_PREFIX = 'sha256=';

/** Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
export const github: SignatureScheme = {
  headerSets: [['x-hub-signature-256']],
  keyOf: plainKey,
  signed: (headers: SignatureHeaders) => {
    const value = headers['x-hub-signature-256']!;
    if (!value.startsWith(GITHUB_PREFIX)) return null;
    return ofBody(fromHex(value.slice(GITHUB_PREFIX.length)));
  },
};

function ofBody(signature: Buffer): Signed {
  return { algorithm: 'sha256', before: '', after: '', signatures: [signature] };
}
