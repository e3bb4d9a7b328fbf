import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KeysData, Sender, SenderKeys } from '../model/senders.js';
import type { Limiter } from '../model/stages.js';

interface Known {
  readonly sha256: Buffer;
  readonly sender: Sender;
}

const SALT_BYTES = 32;

/** The keys of `--api-keys`, in one intake thread. */
export class ApiKeys implements SenderKeys {
  /**
   * The key of the map is a hash with a secret salt. The time of a search depends on that hash, and a client cannot compute
   * it.
   */
  readonly #bySaltedHash = new Map<string, Known>();
  readonly #salt = randomBytes(SALT_BYTES);

  /** @param limiter this thread's view of a window */
  constructor({ senders, keys }: KeysData, limiter: (memory: SharedArrayBuffer) => Limiter) {
    const made = senders.map(({ name, label, rps, windows }): Sender => {
      const limiters = windows.map(limiter);
      const limit = limiters.length === 0 ? null : { rps, limiter: allOf(limiters) };
      return { name, label, limit };
    });
    for (const { sha256, sender } of keys) {
      const hash = Buffer.from(sha256, 'hex');
      this.#bySaltedHash.set(this.#salted(hash), { sha256: hash, sender: made[sender]! });
    }
  }

  find(key: string): Sender | null {
    const hash = createHash('sha256').update(key, 'utf8').digest();
    const known = this.#bySaltedHash.get(this.#salted(hash));
    return known !== undefined && timingSafeEqual(known.sha256, hash) ? known.sender : null;
  }

  #salted(hash: Buffer): string {
    return createHash('sha256').update(this.#salt).update(hash).digest('base64');
  }
}

/** Admits what all of them admit. What one admits and a later one refuses still counts in the first. */
function allOf(limiters: readonly Limiter[]): Limiter {
  const [first] = limiters;
  if (limiters.length === 1) return first!;
  return {
    limit: Math.min(...limiters.map(({ limit }) => limit)),
    tryAdmit: () => limiters.every((limiter) => limiter.tryAdmit()),
    tryAdmitBatch: (size) => limiters.every((limiter) => limiter.tryAdmitBatch(size)),
    waitMs: (size) => Math.max(...limiters.map((limiter) => limiter.waitMs(size))),
  };
}
