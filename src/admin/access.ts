import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Log } from '../model/log.js';
import { LoginAttempts } from './login-attempts.js';
import { cookieOf, type Session, Sessions, sessionCookie } from './sessions.js';

/** The tokens in force; they change when their file does. */
export interface AdminTokens {
  readonly value: readonly string[];
}

/** What a request shows for itself. */
export type Access =
  | {
      readonly is: 'granted';
      readonly by: 'token' | 'session' | 'nobody';
      readonly cookie?: string;
    }
  | { readonly is: 'missing' }
  | { readonly is: 'wrong' }
  | { readonly is: 'too-many'; readonly waitMs: number };

/** The login of a token: a cookie, or why not. */
export type Login =
  | { readonly is: 'granted'; readonly cookie: string }
  | { readonly is: 'wrong' }
  | { readonly is: 'too-many'; readonly waitMs: number };

/**
 * Who may use the admin server: a client that has a token, in the header `Authorization: Bearer`, or a session that began with
 * one. Everybody, if there are no tokens.
 */
export class AccessCheck {
  readonly #tokens: AdminTokens | null;
  readonly #log: Log;
  readonly #attempts = new LoginAttempts();
  readonly #sessions = new Sessions();

  constructor(tokens: AdminTokens | null, log: Log) {
    this.#tokens = tokens;
    this.#log = log;
  }

  get isOn(): boolean {
    return this.#tokens !== null;
  }

  judge(request: IncomingMessage, nowMs = Date.now()): Access {
    if (this.#tokens === null) return { is: 'granted', by: 'nobody' };
    const token = bearerOf(request);
    if (token !== null) {
      const verdict = this.#compare(request, token, nowMs);
      return verdict.is === 'granted' ? { is: 'granted', by: 'token' } : verdict;
    }
    const session = this.#sessionOf(request, nowMs);
    if (session === null) return { is: 'missing' };
    const renewed = this.#sessions.renewed(session, nowMs);
    if (renewed === null) return { is: 'granted', by: 'session' };
    return { is: 'granted', by: 'session', cookie: this.#cookie(request, renewed) };
  }

  login(request: IncomingMessage, given: string, nowMs = Date.now()): Login {
    const token = given.trim();
    const verdict = this.#compare(request, token, nowMs);
    if (verdict.is !== 'granted') return verdict;
    this.#log('admin-login', 'login to the live page', { address: addressOf(request) });
    const text = this.#sessions.begin(token, nowMs);
    return { is: 'granted', cookie: this.#cookie(request, text) };
  }

  /** @returns the cookie that takes the place of the session's */
  logout(request: IncomingMessage, nowMs = Date.now()): string {
    const session = this.#sessionOf(request, nowMs);
    if (session !== null) this.#sessions.end(session);
    return this.#cookie(request, '');
  }

  /** Takes the same time for every token of a length. */
  #compare(
    request: IncomingMessage,
    token: string,
    nowMs: number,
  ): Exclude<Login, { cookie: string }> | { readonly is: 'granted' } {
    const address = addressOf(request);
    const waitMs = this.#attempts.waitMs(address, nowMs);
    if (waitMs > 0) return { is: 'too-many', waitMs };
    const given = sha256(token);
    const equal = this.#tokens!.value.filter((one) => timingSafeEqual(sha256(one), given));
    if (equal.length > 0) return { is: 'granted' };
    this.#attempts.failed(address, token, nowMs);
    this.#log('admin-login-failed', 'a request had a wrong admin token', { address });
    return { is: 'wrong' };
  }

  #sessionOf(request: IncomingMessage, nowMs: number): Session | null {
    const text = cookieOf(request.headers.cookie, cookieName(request));
    return text === '' ? null : this.#sessions.find(text, this.#tokens?.value ?? [], nowMs);
  }

  #cookie(request: IncomingMessage, text: string): string {
    // A proxy that ends TLS says so. A client that says it without TLS only keeps the cookie from itself.
    const isHttps = request.headers['x-forwarded-proto'] === 'https';
    return sessionCookie(cookieName(request), text, isHttps);
  }
}

/** Cookies do not know ports: two servers of a machine need different names. */
function cookieName({ socket }: IncomingMessage): string {
  return `forebay-${socket.localPort ?? 0}`;
}

function addressOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? '';
}

/** Null if the header is missing or has another scheme, such as that of a proxy's own login. */
function bearerOf({ headers }: IncomingMessage): string | null {
  return /^bearer +(\S*) *$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
