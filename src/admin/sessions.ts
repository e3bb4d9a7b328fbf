import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** How long a login lasts. Each later visit of the page renews it. */
const SESSION_S = 7 * 86_400;
/** A session of at least this age is renewed. */
const RENEW_S = 3600;
const NONCE_BYTES = 12;
/** Sessions that were logged out. The oldest is forgotten first. */
const ENDED_MAX = 1000;
/** `expiry.nonce.code`: seconds of the epoch, and two texts in base64url. */
const SESSION = /^(\d{1,12})\.([\w-]{16})\.([\w-]{43})$/;

export interface Session {
  readonly nonce: string;
  readonly expiresAtS: number;
  /** The token that the session was made of. */
  readonly token: string;
}

/**
 * Sessions of browsers. A session is its own proof: its code is an HMAC with the token that somebody logged in with. So
 * it is valid until it expires or the token is taken out of the file, also after a restart and at other instances with
 * the same token, and nothing is stored per session.
 */
export class Sessions {
  readonly #ended = new Set<string>();

  /** @returns the text of a new session */
  begin(token: string, nowMs: number): string {
    return this.#text(token, randomBytes(NONCE_BYTES).toString('base64url'), nowMs);
  }

  /** Null if the text is no session of one of these tokens, or the session is over. */
  find(text: string, tokens: readonly string[], nowMs: number): Session | null {
    const [, expiry, nonce, code] = SESSION.exec(text) ?? [];
    if (expiry === undefined || nonce === undefined || code === undefined) return null;
    const expiresAtS = Number(expiry);
    if (expiresAtS * 1000 <= nowMs || this.#ended.has(nonce)) return null;
    const given = Buffer.from(code, 'base64url');
    const token = tokens.find((one) => timingSafeEqual(codeOf(one, expiry, nonce), given));
    return token === undefined ? null : { nonce, expiresAtS, token };
  }

  /** @returns the text of the same session with a later end; null if it is young */
  renewed({ nonce, expiresAtS, token }: Session, nowMs: number): string | null {
    const ageS = SESSION_S - (expiresAtS - nowMs / 1000);
    return ageS < RENEW_S ? null : this.#text(token, nonce, nowMs);
  }

  end({ nonce }: Session): void {
    this.#ended.add(nonce);
    const [oldest] = this.#ended;
    if (this.#ended.size > ENDED_MAX) this.#ended.delete(oldest!);
  }

  #text(token: string, nonce: string, nowMs: number): string {
    const expiry = String(Math.floor(nowMs / 1000) + SESSION_S);
    return `${expiry}.${nonce}.${codeOf(token, expiry, nonce).toString('base64url')}`;
  }
}

function codeOf(token: string, expiry: string, nonce: string): Buffer {
  return createHmac('sha256', token).update(`forebay session ${expiry}.${nonce}`).digest();
}

/** A browser sends it only for requests of this site's own pages, and no script can read it. */
export function sessionCookie(name: string, text: string, isHttps: boolean): string {
  const lifeS = text === '' ? 0 : SESSION_S;
  const secure = isHttps ? '; Secure' : '';
  return `${name}=${text}; Path=/; Max-Age=${lifeS}; HttpOnly; SameSite=Strict${secure}`;
}

/** The value of a cookie; empty if there is none. */
export function cookieOf(header: string | undefined, name: string): string {
  for (const pair of (header ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals).trim() === name)
      return pair.slice(equals + 1).trim();
  }
  return '';
}
