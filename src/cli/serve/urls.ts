import { hostPort, type OrdersAddress } from '../../model/listen.js';
import type { Options } from '../../model/options.js';

/** The URLs of a server. @param toHost the host of the URL, from the one that is configured */
export function serverUrls(
  { host, adminHost, tlsCert }: Pick<Options, 'host' | 'adminHost' | 'tlsCert'>,
  at: OrdersAddress,
  adminPort: number,
  toHost: (host: string) => string = (configured) => configured,
): { readonly orders: string; readonly admin: string } {
  const scheme = tlsCert === '' ? 'http' : 'https';
  return {
    orders: 'path' in at ? `unix:${at.path}` : `${scheme}://${hostPort(toHost(host), at.port)}`,
    admin: `http://${hostPort(toHost(adminHost), adminPort)}`,
  };
}
