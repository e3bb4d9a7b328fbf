import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { ConnectionOptions } from '@nats-io/transport-node';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { NatsFiles } from '../../model/options.js';
import { accessOptions, NO_FILES } from './access-files.js';

/** NATS servers for the client, and as they may be shown. */
export interface NatsServers {
  /** For `connect`: the servers without credentials, and the credentials from the URLs. */
  readonly options: Pick<
    ConnectionOptions,
    'servers' | 'user' | 'pass' | 'token' | 'tls' | 'authenticator'
  >;
  /** Without credentials, for logs and /readyz. */
  readonly shown: string;
}

/**
 * Separates the credentials from NATS URLs: `nats://user:password@host:4222`, or `nats://token@host:4222`. All
 * servers of a cluster share them, so the first URL that has any is used. One URL with `tls://` demands TLS of all.
 * @throws OperatorFault a URL cannot be parsed, or a file cannot be used
 */
export function natsServers(urls: readonly string[], files: NatsFiles = NO_FILES): NatsServers {
  const parsed = urls.map(readUrl);
  const servers = parsed.map(({ protocol, host }) => `${protocol}//${host}`);
  const access = accessOptions(
    files,
    parsed.some(({ protocol }) => protocol === 'tls:'),
  );
  const tls = { ...access.tls, ...identityCheck(parsed.map(hostOf)) };
  const options = { servers, ...access, ...('tls' in access ? { tls } : {}) };
  const shown = servers.join(', ');
  const named = parsed.find(({ username }) => username !== '');
  if (named === undefined || access.authenticator !== undefined) return { options, shown };
  const user = decodeURIComponent(named.username);
  const pass = decodeURIComponent(named.password);
  const credentials = pass === '' ? { token: user } : { user, pass };
  return { options: { ...options, ...credentials }, shown };
}

/** An IPv6 address is in brackets in a URL. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/**
 * The client does not tell TLS which IP address it has connected to, and the name that is checked is then
 * `localhost`: so the certificate must be for one of the addresses in the URLs.
 */
function identityCheck(hosts: readonly string[]) {
  const addresses = hosts.filter((host) => isIP(host) !== 0);
  if (addresses.length === 0 || hosts.includes('localhost')) return {};
  return {
    checkServerIdentity: (host: string, certificate: PeerCertificate) => {
      const names = host === 'localhost' ? addresses : [host];
      const faults = names.map((name) => checkServerIdentity(name, certificate));
      return faults.includes(undefined) ? undefined : faults[0];
    },
  };
}

function readUrl(url: string, index: number): URL {
  try {
    const parsed = new URL(url.includes('://') ? url : `nats://${url}`);
    decodeURIComponent(parsed.username + parsed.password);
    return parsed;
  } catch {
    // The original error quotes the URL, with the password.
    throw new OperatorFault(
      `--nats: URL ${index + 1} cannot be read: write nats://user:password@host:4222, with a port up to 65535 and % in user or password as %25`,
      EXIT.usage,
    );
  }
}
