import { randomBytes } from 'node:crypto';
import type { LocalStore } from './local-store.js';

const META_KEY = Buffer.from('process');
const ID_BYTES = 9;

/**
 * A name for the process that owns this store, the same after a restart, so that what it had in hand in an
 * earlier life is known to be its own. It is durable before long, and who forgets it loses a lease's time.
 */
export function processId(store: LocalStore): string {
  const found = store.meta.getBinary(META_KEY);
  if (found !== undefined) return found.toString();
  const id = randomBytes(ID_BYTES).toString('base64url');
  store.write(() => store.meta.put(META_KEY, Buffer.from(id))).catch(() => {});
  return id;
}
