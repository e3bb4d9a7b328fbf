/**
 * Keeps passwords and tokens out of every line that leaves the process: log, errors, reports, /readyz and the live page.
 * Known secrets are removed wherever they stand, and what looks like credentials in a URL is removed even if unknown.
 */

/** Stands for what was removed. */
const MASK = '***';

/** Removes secrets from a text for people or programs. */
export type Redact = (text: string) => string;

/** A shorter secret is removed only where a credential stands: else the password `a` would shred every line. */
const SECRET_CHARS_MIN = 4;

const SCHEME = /^\s*(?:[a-z][a-z0-9+.-]*:\/\/)?/i;
/** Before the next URL of a list. */
const NEXT_URL = /,(?=\s*[a-z][a-z0-9+.-]*:\/\/)/i;
/** `scheme://`, and all up to the last `@` before white space, a quote or the next URL. */
const USERINFO =
  /(?<!\w)([a-z][a-z0-9+.-]*:\/\/)((?:(?!,\s*[a-z][a-z0-9+.-]*:\/\/)[^\s"'<>`])*)@/gi;
const PARAMETER = /(?<![a-z])(\w*(?:password|passwd|pwd|token|secret)=)[^&\s"',]+/gi;
/** API keys of Forebay and signing secrets, typed where the name of their file belongs. */
const TOKEN = /(?<![A-Za-z0-9])((?:fbk|whsec|shpss|shpat)_)[A-Za-z0-9+/=_-]{8,}/g;
/** Of the URLs in our own messages. */
const EXAMPLE = 'user:password';
const NOT_AUTHORITY = /^(?:file|node|data):/i;

/** Removes what looks like the credentials of a URL or of a connection string, or like an API key or a signing secret. */
export function maskCredentials(text: string): string {
  return text
    .replace(USERINFO, (found, scheme: string, before: string) => {
      // An `@` in the path of a URL without credentials, such as that of a package.
      if (before === EXAMPLE) return found;
      const isPath = NOT_AUTHORITY.test(scheme) || (before.includes('/') && !before.includes(':'));
      return isPath ? found : `${scheme}${MASK}@`;
    })
    .replace(PARAMETER, `$1${MASK}`)
    .replace(TOKEN, `$1${MASK}`);
}

/** A value that may hold credentials, as a URL or a list of URLs, valid or not, for an error that quotes it. */
export function maskUrls(value: string): string {
  const parts = urlsOf(value).map(maskUrl);
  const isCertain = parts.every((part) => part !== null);
  return maskCredentials(isCertain ? parts.join(',') : `${SCHEME.exec(value)![0]}${MASK}`);
}

/** A word that somebody typed in the wrong place, which may be a URL of any form. */
export function maskWord(word: string): string {
  const start = /(?<!\w)[a-z][a-z0-9+.-]*:\/\//i.exec(word);
  if (start !== null && NOT_AUTHORITY.test(start[0])) return word;
  const at = word.lastIndexOf('@');
  const from = start === null ? 0 : start.index + start[0].length;
  const hasCredentials = at > from && word.slice(from, at).includes(start === null ? ':' : '');
  return maskCredentials(hasCredentials ? `${word.slice(0, from)}${MASK}${word.slice(at)}` : word);
}

/** Null if it is not certain where the credentials of this part end. */
function maskUrl(url: string): string | null {
  const at = url.lastIndexOf('@');
  const scheme = SCHEME.exec(url)![0];
  if (at !== -1) return `${scheme}${MASK}${url.slice(at)}`;
  return unreadPort(url.slice(scheme.length)) === '' ? url : null;
}

/** In `bay:s3cret`, where the host was forgotten, the password stands in place of the port. */
function unreadPort(authority: string): string {
  const port = /^[^[/?#:,]*:(.*)$/s.exec(authority)?.[1] ?? '';
  return /^\d{0,5}(?:[/?#,]|$)/.test(port) ? '' : port;
}

/** The URLs of a list. A comma in a password does not end one. */
function urlsOf(value: string): string[] {
  const urls = value.split(NEXT_URL);
  if (urls.length > 1) return urls;
  const bare = value.split(',');
  return bare.every((url) => /^\s*[^\s@]+@[^\s@:/?#]+(?::\d+)?\s*$/.test(url)) ? bare : urls;
}

interface Found {
  /** Passwords and tokens: a program that cuts a URL in the wrong place shows a part of one. */
  readonly secrets: readonly string[];
  /** User and password. */
  readonly userinfos: readonly string[];
  /** What is no secret: user, host and so on. */
  readonly words: readonly string[];
}

function credentialsIn(url: string): Found {
  const scheme = SCHEME.exec(url)![0];
  const rest = url.slice(scheme.length);
  const parameters = Array.from(
    url.matchAll(/(?:password|passwd|pwd|token|secret)=([^&\s]+)/gi),
    ([, secret]) => secret!,
  );
  const at = rest.lastIndexOf('@');
  const words = rest.slice(at + 1).split(/[^A-Za-z0-9_]+/);
  if (at === -1) return { secrets: [unreadPort(rest), ...parameters], userinfos: [], words: [] };
  const userinfo = rest.slice(0, at);
  const colon = userinfo.indexOf(':');
  // PostgreSQL has no tokens: what stands alone is a user.
  const isUser = colon === -1 && /^\s*postgres/i.test(scheme);
  const secret = isUser ? '' : userinfo.slice(colon + 1);
  if (colon !== -1 || isUser) words.push(userinfo.slice(0, colon === -1 ? undefined : colon));
  return { secrets: [secret, ...parameters], userinfos: isUser ? [] : [userinfo], words };
}

/** Whether a value holds a password or a token. */
export function holdsSecret(value: string): boolean {
  return urlsOf(value).some((url) => credentialsIn(url).secrets.some((secret) => secret !== ''));
}

/**
 * @param values texts that may hold credentials, as they were given
 * @param more passwords and tokens that stand alone
 */
export function redactor(values: readonly string[], more: readonly string[] = []): Redact {
  const found = values.flatMap(urlsOf).map(credentialsIn);
  const secrets = [...found.flatMap((each) => each.secrets), ...more].flatMap(withParts);
  secrets.push(...found.flatMap((each) => each.userinfos));
  // A password that is the same word as a host or a user is removed only where a credential stands.
  const open = new Set(['forebay', 'nats', 'postgres', 'postgresql']);
  for (const { words } of found) for (const word of words) open.add(word);
  const everywhere = new Set<string>();
  const asWord = new Set<string>();
  const asCredential = new Set<string>();
  for (const secret of secrets.filter((text) => text !== '').flatMap(spellings)) {
    const isWord = /^(?:[A-Za-z]+|[0-9]+)$/.test(secret);
    if (secret.length < SECRET_CHARS_MIN || !/[A-Za-z0-9]/.test(secret) || open.has(secret)) {
      asCredential.add(secret);
    } else if (isWord) asWord.add(secret);
    else everywhere.add(secret);
  }
  const first = rule(everywhere, (any) => any);
  const wholeWords = rule(asWord, (any) => `(?<![A-Za-z0-9_])${any}(?![A-Za-z0-9_])`);
  const rest = rule(
    asCredential,
    (any) => `(?<![A-Za-z0-9_])${any}(?=@)|(?<=(?:password|token)[=: "']+)${any}(?!\\w)`,
  );
  return (text) => {
    // Known secrets first: the pattern of a URL ends at white space and quotes, which a password may hold.
    const left = maskCredentials(replaceAll(text, first));
    return replaceAll(replaceAll(left, wholeWords), rest);
  };
}

function replaceAll(text: string, pattern: RegExp | null): string {
  return pattern === null ? text : text.replace(pattern, MASK);
}

/** A URL that is cut in the wrong place shows a part of the password. */
function withParts(secret: string): string[] {
  return [secret, ...secret.split(/[/?#@:,;&=\s"'\\<>]+/).filter((part) => part !== '')];
}

/** The ways in which libraries and reports write a secret. */
function spellings(secret: string): string[] {
  const decoded = tryOr(secret, () => decodeURIComponent(secret));
  const plain = [secret, decoded];
  const encoded = plain.flatMap((text) => [
    tryOr(text, () => encodeURIComponent(text)),
    tryOr(text, () => encodeURI(text)),
    inUrl(text),
  ]);
  const all = [...plain, ...encoded];
  const escaped = all.flatMap((text) => [
    JSON.stringify(text).slice(1, -1),
    text.replaceAll('\\', '\\\\').replaceAll("'", "\\'"),
  ]);
  const hex = all.map((text) =>
    text.replace(/%(?:25)?[0-9a-f]{2}/gi, (code) => code.toLowerCase()),
  );
  return [...new Set([...all, ...escaped, ...hex])];
}

/** As the URL parser of Node writes a password. */
function inUrl(text: string): string {
  const url = new URL('http://host');
  url.password = text;
  return url.password;
}

function tryOr(otherwise: string, make: () => string): string {
  try {
    return make();
  } catch {
    return otherwise;
  }
}

/** The longest first: a part must not hide the whole. Null where there is nothing to look for. */
function rule(secrets: ReadonlySet<string>, around: (any: string) => string): RegExp | null {
  if (secrets.size === 0) return null;
  const any = [...secrets]
    .sort((a, b) => b.length - a.length)
    .map((secret) => secret.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
    .join('|');
  return new RegExp(around(`(?:${any})`), 'g');
}

/** The same error without secrets in its message and stack. */
export function redactError<T extends Error>(error: T, redact: Redact): T {
  const { message, stack } = error;
  error.message = redact(message);
  if (stack !== undefined) error.stack = redact(stack);
  return error;
}
