import type { ConnectionOptions } from '@nats-io/transport-node';
import { EXIT, OperatorFault } from '../../model/fault.js';

/** NATS servers as the client wants them, and as they may be shown. */
export interface NatsServers {
  /** For `connect`: the servers without, and beside them the credentials that stood in the URLs. */
  readonly options: Pick<ConnectionOptions, 'servers' | 'user' | 'pass' | 'token'>;
  /** Without credentials: this goes to logs and to /readyz. */
  readonly shown: string;
}

/**
 * Takes the credentials out of NATS URLs: `nats://user:password@host:4222`, or `nats://token@host:4222`. All
 * servers of a cluster share them, so the first that has any speaks for all.
 *
 * @throws OperatorFault one cannot be read
 */
export function natsServers(urls: readonly string[]): NatsServers {
  const parsed = urls.map(readUrl);
  const servers = parsed.map(({ protocol, host }) => `${protocol}//${host}`);
  const named = parsed.find(({ username }) => username !== '');
  const shown = servers.join(', ');
  if (named === undefined) return { options: { servers }, shown };
  const user = decodeURIComponent(named.username);
  const pass = decodeURIComponent(named.password);
  const credentials = pass === '' ? { token: user } : { user, pass };
  return { options: { servers, ...credentials }, shown };
}

function readUrl(url: string, index: number): URL {
  try {
    const parsed = new URL(url.includes('://') ? url : `nats://${url}`);
    decodeURIComponent(parsed.username + parsed.password);
    return parsed;
  } catch {
    // The error quotes the URL, and with it the password.
    throw new OperatorFault(
      `--nats: URL ${index + 1} cannot be read: it must be such as nats://user:password@host:4222, with the port up to 65535 and a % in user or password written as %25`,
      EXIT.usage,
    );
  }
}
