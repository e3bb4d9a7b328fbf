import { createHmac, timingSafeEqual } from 'node:crypto';

/** How far the time of a signature may be from the time here, before or after. */
export const TOLERANCE_S = 300;

/** The headers that a signature is in, by name in lower case; empty if the request does not have one. */
export type SignatureHeaders = Readonly<Record<string, string>>;

/** How a kind of sender signs what it sends. Pure: the same input gives the same verdict. */
export interface SignatureScheme {
  /** The headers that `signed` reads, in lower case. A request without any of these sets is not signed. */
  readonly headerSets: readonly (readonly string[])[];
  /** The HMAC key of a line of the secrets file; null if it cannot be a secret of this scheme. */
  keyOf(secret: string): Buffer | null;
  /** What the headers claim to be signed; null if they cannot be right. @param nowS epoch seconds */
  signed(headers: SignatureHeaders, nowS: number): Signed | null;
}

export interface Signed {
  readonly algorithm: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  /** What is signed before and after the body. */
  readonly before: string;
  readonly after: string;
  /** One of them must be right. */
  readonly signatures: readonly Buffer[];
}

/**
 * Whether one of the keys has signed these bytes. Each comparison takes the same time, wherever the bytes differ.
 *
 * @param body as it was received, before anything is decoded
 */
export function isSigned(
  scheme: SignatureScheme,
  headers: SignatureHeaders,
  body: Uint8Array,
  keys: readonly Uint8Array[],
  nowS: number,
): boolean {
  const signed = scheme.signed(headers, nowS);
  if (signed === null) return false;
  const { algorithm, before, after, signatures } = signed;
  let isRight = false;
  for (const key of keys) {
    const hmac = createHmac(algorithm, key).update(before, 'latin1').update(body);
    const right = hmac.update(after, 'latin1').digest();
    for (const signature of signatures) {
      if (signature.length === right.length && timingSafeEqual(signature, right)) isRight = true;
    }
  }
  return isRight;
}

/** A secret that is used as it is written. */
export function plainKey(secret: string): Buffer {
  return Buffer.from(secret, 'utf8');
}

/** @param time epoch seconds. Null if it is no number, or too far from now */
export function timeWithin(time: string, nowS: number, toleranceS = TOLERANCE_S): number | null {
  if (!/^\d{1,12}$/.test(time)) return null;
  const timeS = Number(time);
  return Math.abs(nowS - timeS) <= toleranceS ? timeS : null;
}

/** Empty if it is not hexadecimal. */
export function fromHex(text: string): Buffer {
  return /^(?:[0-9A-Fa-f]{2})+$/.test(text) ? Buffer.from(text, 'hex') : Buffer.alloc(0);
}

/** Empty if it is not base64 with its padding. */
export function fromBase64(text: string): Buffer {
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0;
  return isBase64 ? Buffer.from(text, 'base64') : Buffer.alloc(0);
}
