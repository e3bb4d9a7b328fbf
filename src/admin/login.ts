import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access, AccessCheck } from './access.js';
import { type Answer, bodyOf, FORM_HEADERS, json, otherMethod, send } from './answer.js';
import { loginFiles, loginPage, type PageFile, type PageFiles } from './page-files.js';

const LOGIN_PATH = '/login';
const LOGOUT_PATH = '/logout';
/** Whether a login is needed, for the scripts of the pages. */
const STATE_PATH = '/login/state';
const FORM_BYTES_MAX = 4096;
/** Where the form page says what was wrong. */
const MESSAGE_PLACE = '<!-- message -->';

/** Logging in and out, and the answers to those who did not. Its paths are the only ones without a token but the probes. */
export class LoginRoutes {
  readonly #access: AccessCheck;
  readonly #files: PageFiles;
  readonly #onLogout: () => void;

  /** @param onLogout called after a logout: open streams must show a token or session again */
  constructor(access: AccessCheck, files: PageFiles, onLogout: () => void) {
    this.#access = access;
    this.#files = files;
    this.#onLogout = onLogout;
  }

  handles(path: string): boolean {
    if (path === STATE_PATH) return true;
    return (
      this.#access.isOn && (path === LOGIN_PATH || path === LOGOUT_PATH || loginFiles.has(path))
    );
  }

  async answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const file = loginFiles.get(path);
    if (file !== undefined) return send(response, await this.#file(request, file));
    if (path === STATE_PATH) return send(response, this.#state(request));
    if (path === LOGIN_PATH) return send(response, await this.#login(request));
    const wrongMethod = otherMethod(request, ['POST']);
    if (wrongMethod !== null) return send(response, wrongMethod);
    const cookie = this.#access.logout(request);
    this.#onLogout();
    send(response, toLivePage({ 'Set-Cookie': cookie }));
  }

  /** @param isPage whether a person sees the answer */
  async refusal(access: Exclude<Access, { is: 'granted' }>, isPage: boolean): Promise<Answer> {
    // Node is asked for no login by it, and browsers show no dialog for this scheme.
    const error = access.is === 'missing' ? '' : ', error="invalid_token"';
    const headers = { 'WWW-Authenticate': `Bearer realm="forebay"${error}` };
    if (access.is === 'too-many') {
      return json(429, { result: 'busy', reason: tooManyText(access.waitMs) }, retryAfter(access));
    }
    if (isPage) return this.#form(401, '', headers);
    const reason =
      access.is === 'missing'
        ? 'a token is needed: send a line of the file of --admin-token-file as Authorization: Bearer TOKEN'
        : 'the token is not one of the file of --admin-token-file';
    return json(401, { result: 'unauthorized', reason }, headers);
  }

  async #file(request: IncomingMessage, file: PageFile): Promise<Answer> {
    const wrongMethod = otherMethod(request, ['GET', 'HEAD']);
    if (wrongMethod !== null) return wrongMethod;
    return { status: 200, type: file.type, body: await this.#files.text(file) };
  }

  #state(request: IncomingMessage): Answer {
    const wrongMethod = otherMethod(request, ['GET', 'HEAD']);
    if (wrongMethod !== null) return wrongMethod;
    const isIn = this.#access.judge(request).is === 'granted';
    return json(200, { needsLogin: this.#access.isOn, isIn });
  }

  async #login(request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'POST') {
      return otherMethod(request, ['GET', 'HEAD', 'POST']) ?? toLivePage();
    }
    const body = await bodyOf(request, FORM_BYTES_MAX);
    if (body === null) return json(413, { result: 'too-large' }, { Connection: 'close' });
    const login = this.#access.login(request, new URLSearchParams(body).get('token') ?? '');
    if (login.is === 'granted') return toLivePage({ 'Set-Cookie': login.cookie });
    if (login.is === 'wrong') return this.#form(401, 'This token is not known here.');
    return this.#form(429, `${tooManyText(login.waitMs)}.`, retryAfter(login));
  }

  async #form(status: number, message: string, headers = {}): Promise<Answer> {
    const text = await this.#files.text(loginPage);
    return {
      status,
      type: loginPage.type,
      body: text.replace(MESSAGE_PLACE, message),
      headers: { ...FORM_HEADERS, ...headers },
    };
  }
}

/** The browser asks for the live page next. */
function toLivePage(headers = {}): Answer {
  return { status: 303, type: 'text/plain', body: '', headers: { Location: '/', ...headers } };
}

function tooManyText(waitMs: number): string {
  return `too many wrong tokens from this address: try again in ${seconds(waitMs)} s`;
}

function retryAfter({ waitMs }: { readonly waitMs: number }): Record<string, string> {
  return { 'Retry-After': `${seconds(waitMs)}` };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
