import { createHash, randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';

/** Wrong tokens that an address may send at once. */
export const WRONG_TOKENS_MAX = 10;
/** The interval at which it may send another. */
export const WRONG_TOKEN_MS = 5000;
/** The address that was quiet for longest is forgotten first. */
const ADDRESSES_MAX = 1000;
/** Of an address: a client that repeats one wrong token, such as a scraper after a rotation, is not guessing. */
const REMEMBERED_MAX = 4;
/** The part of an IPv6 address that one client can choose freely is the other half. */
const IPV6_GROUPS = 4;

interface Address {
  /** How many different wrong tokens were sent, less those that time has forgiven. */
  wrong: number;
  atMs: number;
  /** Digests of the latest wrong tokens. */
  readonly latest: string[];
}

/**
 * Bounds how many different wrong tokens an address can try. Beyond that bound no token is compared, so that guesses
 * learn nothing.
 */
export class LoginAttempts {
  /** The one that was quiet for longest first. */
  readonly #addresses = new Map<string, Address>();
  readonly #salt = randomBytes(16);

  /** @returns 0 if a token of this address may be compared, else after how many milliseconds one may */
  waitMs(ip: string, nowMs: number): number {
    const address = this.#addresses.get(networkOf(ip));
    if (address === undefined) return 0;
    forgive(address, nowMs);
    return Math.max(0, Math.ceil((address.wrong - WRONG_TOKENS_MAX + 1) * WRONG_TOKEN_MS));
  }

  failed(ip: string, token: string, nowMs: number): void {
    const network = networkOf(ip);
    const address = this.#addresses.get(network) ?? { wrong: 0, atMs: nowMs, latest: [] };
    this.#addresses.delete(network);
    this.#addresses.set(network, address);
    for (const oldest of this.#addresses.keys()) {
      if (this.#addresses.size <= ADDRESSES_MAX) break;
      this.#addresses.delete(oldest);
    }
    const digest = createHash('sha256').update(this.#salt).update(token).digest('base64');
    if (address.latest.includes(digest)) return;
    address.latest.push(digest);
    if (address.latest.length > REMEMBERED_MAX) address.latest.shift();
    forgive(address, nowMs);
    address.wrong++;
  }
}

function forgive(address: Address, nowMs: number): void {
  address.wrong = Math.max(0, address.wrong - (nowMs - address.atMs) / WRONG_TOKEN_MS);
  address.atMs = nowMs;
}

/** The network of an IPv6 address that a client has for itself; an IPv4 address as it is. */
function networkOf(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(ip)) return ip;
  const [head = '', tail] = ip.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const end = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - end.length) }, () => '0');
  return [...groups, ...zeros, ...end].slice(0, IPV6_GROUPS).join(':');
}
