import type { KeyCounts } from '../metrics/count.js';
import type { Status } from '../model/answers.js';
import { KEY_IN_BODY, keyForId } from '../model/idempotency-key.js';
import { encodeKept, NOTHING_KEPT } from '../model/kept-headers.js';
import type { Options } from '../model/options.js';
import type { Sender, SenderKeys, Signatures } from '../model/senders.js';
import type { EngineFactory, HeaderName, RequestHead } from './http.js';

/** What this thread knows of the senders. */
export interface RequestSenders {
  /** Null without `--api-keys`. */
  readonly keys: SenderKeys | null;
  readonly keyCounts: KeyCounts;
  /** Null without `--verify`. */
  readonly signatures: Signatures | null;
}

interface ExtrasParts extends RequestSenders {
  readonly headerName: EngineFactory['headerName'];
  readonly options: Pick<Options, 'idempotencyFrom' | 'keepHeaders'>;
}

/** What is kept of a request's head until its body is complete. */
export interface RequestExtras {
  /** Null without `--api-keys`. */
  readonly sender: Sender | null;
  /** The headers of the signature, by name; null without `--verify`. */
  readonly signature: Readonly<Record<string, string>> | null;
  /** A tab and the kept headers as JSON; empty if there are none. Behind the order in its line. */
  readonly kept: Uint8Array;
}

/**
 * Reads of a request's head what the options about senders need. There is one of these in each intake thread if one of the
 * options is on, and none otherwise: then a request pays nothing for it.
 */
export class ExtrasReader {
  readonly #parts: ExtrasParts;
  readonly #authorization: HeaderName;
  readonly #apiKey: HeaderName;
  readonly #signatureSets: readonly (readonly (readonly [string, HeaderName])[])[];
  readonly #kept: ReadonlySet<string>;
  /** The header of `--idempotency-from`; null if it is a pointer, or not given. */
  readonly #keyHeader: HeaderName | null;
  /** Where the idempotency key is, besides `Idempotency-Key`: a header in lower case, or a pointer; empty for nowhere. */
  readonly keySource: string;

  /** Null if no option needs it. */
  static open(parts: ExtrasParts): ExtrasReader | null {
    const { keys, signatures, options } = parts;
    const { idempotencyFrom, keepHeaders } = options;
    const isNeeded = keys !== null || signatures !== null || keepHeaders.length > 0;
    return isNeeded || idempotencyFrom !== '' ? new ExtrasReader(parts) : null;
  }

  private constructor(parts: ExtrasParts) {
    const { headerName, signatures, options } = parts;
    this.#parts = parts;
    this.#authorization = headerName('authorization');
    this.#apiKey = headerName('x-api-key');
    this.#signatureSets = (signatures?.headerSets ?? []).map((names) =>
      names.map((name) => [name, headerName(name)] as const),
    );
    this.#kept = new Set(options.keepHeaders.map((name) => name.toLowerCase()));
    this.keySource = keySourceOf(options.idempotencyFrom);
    const isHeader = this.keySource !== '' && !this.keySource.startsWith('/');
    this.#keyHeader = isHeader ? headerName(this.keySource) : null;
  }

  /** The headers that it reads, in lower case. */
  get headers(): readonly string[] {
    const { keys, signatures } = this.#parts;
    return [
      ...(keys === null ? [] : ['authorization', 'x-api-key']),
      ...(signatures?.headerSets.flat() ?? []),
      ...(this.#keyHeader === null ? [] : [this.keySource]),
      ...this.#kept,
    ];
  }

  /** Whether requests need an API key. */
  get hasKeys(): boolean {
    return this.#parts.keys !== null;
  }

  /** The sender whose key the request has; null if it has none that is known, or keys are off. */
  senderOf(req: RequestHead): Sender | null {
    const { keys } = this.#parts;
    if (keys === null) return null;
    const key = bearerToken(req.getHeader(this.#authorization)) || req.getHeader(this.#apiKey);
    return key === '' ? null : keys.find(key);
  }

  /** The idempotency key of a request without the header `Idempotency-Key`; empty if it must have one and has not. */
  keyOf(req: RequestHead): string {
    if (this.keySource === '') return '';
    if (this.#keyHeader === null) return KEY_IN_BODY;
    const id = req.getHeader(this.#keyHeader);
    return id === '' ? '' : keyForId(id, 'latin1');
  }

  /** Null if the request must be signed and has no signature. */
  read(req: RequestHead, sender: Sender | null): RequestExtras | null {
    const signature = this.#parts.signatures === null ? null : this.#signatureOf(req);
    if (this.#parts.signatures !== null && signature === null) return null;
    return { sender, signature, kept: this.#keptOf(req) };
  }

  /** Whether the body is signed as its headers say. */
  isSigned({ signature }: RequestExtras, body: Uint8Array): boolean {
    return signature === null || this.#parts.signatures!.isSigned(signature, body);
  }

  count(sender: Sender | null, status: Status): void {
    if (sender !== null) this.#parts.keyCounts.add(sender.label, status);
  }

  #signatureOf(req: RequestHead): Record<string, string> | null {
    const values: Record<string, string> = {};
    let isWhole = false;
    for (const names of this.#signatureSets) {
      for (const [name, header] of names) values[name] = req.getHeader(header);
      isWhole ||= names.every(([name]) => values[name] !== '');
    }
    return isWhole ? values : null;
  }

  #keptOf(req: RequestHead): Uint8Array {
    if (this.#kept.size === 0) return NOTHING_KEPT;
    const values = new Map<string, string>();
    req.forEach((name, value) => {
      if (!this.#kept.has(name)) return;
      const before = values.get(name);
      // As RFC 9110, 5.3 combines lines of the same name.
      values.set(name, before === undefined ? value : `${before}, ${value}`);
    });
    return encodeKept(values);
  }
}

/** The header of `--idempotency-from` in lower case, or its pointer; empty if there is none. */
function keySourceOf(idempotencyFrom: string): string {
  if (idempotencyFrom.startsWith('/')) return idempotencyFrom;
  return idempotencyFrom.replace(/^header:/, '').toLowerCase();
}

/** The token of `Bearer`, whose case does not count (RFC 9110, 11.1); empty if the scheme is another one. */
function bearerToken(authorization: string): string {
  if (authorization === '') return '';
  return /^bearer +([^\s]+)$/i.exec(authorization)?.[1] ?? '';
}
