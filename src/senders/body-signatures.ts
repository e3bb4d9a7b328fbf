import type { Signatures } from '../model/senders.js';
import { isSigned, type SignatureHeaders, type SignatureScheme } from './signatures/scheme.js';

/** The signatures of `--verify`, in one intake thread. */
export class BodySignatures implements Signatures {
  readonly #scheme: SignatureScheme;
  #keys: readonly Uint8Array[];

  /** @param keys HMAC keys */
  constructor(scheme: SignatureScheme, keys: readonly Uint8Array[]) {
    this.#scheme = scheme;
    this.#keys = keys;
  }

  renew(keys: readonly Uint8Array[]): void {
    this.#keys = keys;
  }

  get headerSets(): readonly (readonly string[])[] {
    return this.#scheme.headerSets;
  }

  isSigned(headers: SignatureHeaders, body: Uint8Array): boolean {
    return isSigned(this.#scheme, headers, body, this.#keys, Date.now() / 1000);
  }
}
