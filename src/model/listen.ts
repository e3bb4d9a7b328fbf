/** Where orders are taken: an IP address and a port, or a unix socket. */
export type OrdersAddress = TcpAddress | UnixAddress;

export interface TcpAddress {
  /** An IP address, not a name: the engines resolve names in different ways. */
  readonly address: string;
  readonly port: number;
}

export interface UnixAddress {
  /** Absolute. */
  readonly path: string;
}

/** `127.0.0.1:3000`, `[::1]:3000`. @param host a name or an IP address */
export function hostPort(host: string, port: number): string {
  return `${urlHost(host)}:${port}`;
}

/** An IPv6 address in brackets. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** `[::1]:3000`, `unix:/run/forebay.sock`. */
export function addressText(at: OrdersAddress): string {
  return 'path' in at ? `unix:${at.path}` : hostPort(at.address, at.port);
}

/** @param address an IP address */
export function isLoopback(address: string): boolean {
  return /^(?:::ffff:)?127\.|^::1$/i.test(address);
}

/** Under which address a program of the same machine reaches a server that listens on `host`. */
export function dialledHost(host: string): string {
  return { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
}
