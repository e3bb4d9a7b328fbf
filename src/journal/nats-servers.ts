import type { ConnectionOptions } from '@nats-io/transport-node';

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
 */
export function natsServers(urls: readonly string[]): NatsServers {
  const parsed = urls.map((url) => new URL(url));
  const servers = parsed.map(({ protocol, host }) => `${protocol}//${host}`);
  const named = parsed.find(({ username }) => username !== '');
  const shown = servers.join(', ');
  if (named === undefined) return { options: { servers }, shown };
  const [user, pass] = [named.username, named.password].map(decodeURIComponent) as [string, string];
  const credentials = pass === '' ? { token: user } : { user, pass };
  return { options: { servers, ...credentials }, shown };
}
