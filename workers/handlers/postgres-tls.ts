import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { PostgresFault } from './postgres-fault.js';

/**
 * How TLS is used, as in `psql`: the driver takes `prefer`, `require` and `verify-ca` for `verify-full`, and does not
 * know `allow`. Source: PostgreSQL manual, 34.19 "SSL Support" and 34.1.2 "Parameter Key Words".
 */
const MODES = [
  'disable',
  'allow',
  'prefer',
  'require',
  'verify-ca',
  'verify-full',
  // Of the driver: TLS without a check, as `require` without a root certificate.
  'no-verify',
] as const;
type Mode = (typeof MODES)[number];

/** How to connect: without TLS, or with it. */
export type Encryption = false | ConnectionOptions;

export interface TlsPlan {
  /** For the driver: the URL without the parameters that this plan replaces. */
  readonly url: string;
  readonly sslnegotiation?: 'direct';
  /** In the order in which they are tried; each next one only after a refusal because of the encryption. */
  readonly attempts: readonly Encryption[];
}

const PARAMETERS = [
  'ssl',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslpassword',
  'sslnegotiation',
  'uselibpqcompat',
] as const;

/** What stands for the system's authorities instead of a file. */
const SYSTEM = 'system';

/**
 * @param hostOf the host that the driver connects to; a folder is one of a unix socket, where TLS is not used
 * @throws PostgresFault a parameter is invalid, or a file cannot be read; no message has the URL
 */
export function tlsPlan(
  given: string,
  hostOf: (url: string) => string,
  env: Readonly<Record<string, string | undefined>> = process.env,
  home: string = homedir(),
): TlsPlan {
  const [before = '', query = ''] = given.split(/\?(.*)/s);
  const all = new URLSearchParams(query);
  const values = new Map<string, string>();
  let url = given;
  for (const name of PARAMETERS) {
    const value = all.get(name) ?? env[`PG${name.toUpperCase()}`];
    if (value !== undefined && value !== '') values.set(name, value);
    if (!all.has(name)) continue;
    all.delete(name);
    url = all.size === 0 ? before : `${before}?${all}`;
  }
  const host = hostOf(url);
  const direct = values.get('sslnegotiation') === 'direct';
  const mode = modeOf(values, direct);
  const tls = host.startsWith('/') || mode === 'disable' ? null : tlsOf(mode, values, host, home);
  const attempts: Readonly<Record<'none' | 'allow' | 'prefer' | 'tls', readonly Encryption[]>> = {
    none: [false],
    allow: [false, tls ?? false],
    prefer: [tls ?? false, false],
    tls: [tls ?? false],
  };
  const kind = tls === null ? 'none' : mode === 'allow' || mode === 'prefer' ? mode : 'tls';
  return {
    url,
    attempts: attempts[kind],
    ...(direct && tls !== null ? { sslnegotiation: 'direct' as const } : {}),
  };
}

function modeOf(values: ReadonlyMap<string, string>, isDirect: boolean): Mode {
  const isRequired = ['true', '1'].includes(values.get('ssl') ?? '') || isDirect;
  const isOff = ['false', '0'].includes(values.get('ssl') ?? '');
  const rootcert = values.get('sslrootcert');
  const usual = rootcert === SYSTEM ? 'verify-full' : isRequired ? 'require' : 'prefer';
  const text = values.get('sslmode') ?? (isOff ? 'disable' : usual);
  const mode = MODES.find((known) => known === text);
  if (mode === undefined) {
    throw setup(`sslmode ${text} is not one of ${MODES.slice(0, -1).join(', ')}`);
  }
  if (rootcert === SYSTEM && mode !== 'verify-full') {
    throw setup(`sslrootcert=system needs sslmode=verify-full, not ${mode}`);
  }
  if (isDirect && (mode === 'disable' || mode === 'allow' || mode === 'prefer')) {
    throw setup(`sslnegotiation=direct needs sslmode=require or stronger, not ${mode}`);
  }
  return mode;
}

function tlsOf(
  mode: Mode,
  values: ReadonlyMap<string, string>,
  host: string,
  home: string,
): ConnectionOptions {
  const ofUser = (name: string) => join(home, '.postgresql', name);
  const rootcert = values.get('sslrootcert');
  const ca = rootcert === SYSTEM ? null : read('sslrootcert', rootcert, ofUser('root.crt'));
  const cert = read('sslcert', values.get('sslcert'), ofUser('postgresql.crt'));
  const key = read('sslkey', values.get('sslkey'), ofUser('postgresql.key'));
  const passphrase = values.get('sslpassword');
  if (mode === 'verify-ca' && ca === null) {
    throw setup(
      'sslmode=verify-ca needs sslrootcert=FILE: any public authority would do otherwise',
    );
  }
  return {
    ...(ca === null ? {} : { ca }),
    ...(cert === null || key === null ? {} : { cert, key }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...checksOf(mode, ca !== null, host),
  };
}

/** With a root certificate, libpq checks who has signed that of the server in every mode. */
function checksOf(mode: Mode, hasRoot: boolean, host: string): ConnectionOptions {
  if (mode === 'no-verify' || (mode !== 'verify-full' && !hasRoot)) {
    return { rejectUnauthorized: false };
  }
  if (mode !== 'verify-full') return { checkServerIdentity: () => undefined };
  // The driver does not tell TLS the address that it connects to.
  return isIP(host) === 0
    ? {}
    : { checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate) };
}

/** Null when no file is named, and the usual one does not exist. */
function read(parameter: string, file: string | undefined, usual: string): Buffer | null {
  try {
    return readFileSync(file ?? usual);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (file === undefined) return null;
    throw setup(`${parameter} ${file} cannot be read: ${code ?? message}`);
  }
}

function setup(text: string): PostgresFault {
  return new PostgresFault('setup', `--postgres-url: ${text}`);
}

/** SQLSTATE of a connection that the rules of the server (pg_hba.conf) refuse. */
const NOT_ALLOWED = '28000';

/**
 * Whether the server may accept the other encryption: it offers no TLS, TLS failed, or its rules forbid the
 * connection as it is. A wrong password or an unreachable server is not such a refusal.
 */
export function isEncryptionRefused(error: unknown): boolean {
  const { message = '', code = '' } = error as NodeJS.ErrnoException;
  return (
    code === NOT_ALLOWED ||
    code.startsWith('ERR_SSL_') ||
    code === 'EPROTO' ||
    /CERT|^UNABLE_TO_/.test(code) ||
    /does not support SSL|establishing an SSL connection/.test(message)
  );
}
