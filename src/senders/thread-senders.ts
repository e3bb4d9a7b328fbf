import type { Sender, SenderKeys, SendersData, Signatures } from '../model/senders.js';
import type { Limiter } from '../model/stages.js';
import { ApiKeys } from './api-keys.js';
import { BodySignatures } from './body-signatures.js';
import { schemeOf } from './signatures/choose.js';

/** The senders as one intake thread knows them. */
export class ThreadSenders {
  readonly #limiter: (memory: SharedArrayBuffer) => Limiter;
  readonly #signatures: BodySignatures | null;
  #keys: ApiKeys | null;

  /**
   * @param verify of the options
   * @param limiter this thread's view of a window
   */
  constructor(
    { keys, secrets }: SendersData,
    verify: string,
    limiter: (memory: SharedArrayBuffer) => Limiter,
  ) {
    this.#limiter = limiter;
    this.#keys = keys === null ? null : new ApiKeys(keys, limiter);
    this.#signatures = secrets === null ? null : new BodySignatures(schemeOf(verify), secrets);
  }

  renew({ keys, secrets }: SendersData): void {
    if (keys !== null) this.#keys = new ApiKeys(keys, this.#limiter);
    if (secrets !== null) this.#signatures?.renew(secrets);
  }

  /** Null without `--api-keys`. */
  get keys(): SenderKeys | null {
    return this.#keys === null ? null : this;
  }

  find(key: string): Sender | null {
    return this.#keys!.find(key);
  }

  /** Null without `--verify`. */
  get signatures(): Signatures | null {
    return this.#signatures;
  }
}
