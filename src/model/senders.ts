import type { Limiter } from './stages.js';

/** Who sends, as far as a request says it: API keys and signatures. Each intake thread has its own objects. */

/** The owner of an API key. */
export interface Sender {
  /** See `KeyLine`. */
  readonly name: string;
  /** For `KeyCounts`. */
  readonly label: number;
  /** Requests in any second, all intake threads together. Null without a limit. */
  readonly limit: { readonly rps: number; readonly limiter: Limiter } | null;
}

export interface SenderKeys {
  /** Null if no sender has this key. How long it takes tells nothing about the keys. */
  find(key: string): Sender | null;
}

/** Checks the signatures of bodies. */
export interface Signatures {
  /** The headers that `isSigned` needs, in lower case. A request that has none of these sets whole is not signed. */
  readonly headerSets: readonly (readonly string[])[];
  /**
   * @param headers the values of all headers of `headerSets`; empty for one that is not there
   * @param body as it was received, before anything is decoded
   */
  isSigned(headers: Readonly<Record<string, string>>, body: Uint8Array): boolean;
}

/** What the intake threads know of the senders. Passed from the main thread, at the start and when a file has changed. */
export interface SendersData {
  /** Null without `--api-keys`. */
  readonly keys: KeysData | null;
  /** HMAC keys. Null without `--verify`. */
  readonly secrets: readonly Uint8Array[] | null;
}

export interface KeysData {
  readonly senders: readonly SenderData[];
  readonly keys: readonly { readonly sha256: string; readonly sender: number }[];
}

export interface SenderData {
  readonly name: string;
  readonly label: number;
  readonly rps: number;
  /** Memory of the windows that must all admit a request: two while another limit takes effect, none without a limit. */
  readonly windows: readonly SharedArrayBuffer[];
}
