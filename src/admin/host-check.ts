import { isIP } from 'node:net';
import { hostname } from 'node:os';

/**
 * Ends of names that nobody can register in the public DNS: of this machine, of a local network, of a cluster.
 *
 * @see https://www.iana.org/assignments/special-use-domain-names
 */
const PRIVATE_ENDS = ['localhost', 'local', 'internal', 'svc', 'lan'];

/**
 * Which Host and Origin headers are answered. A page of another site can point its own name at this machine (DNS rebinding), and
 * a browser then lets it read what this server answers. It cannot do that with an IP address, with a name of one
 * label, or with a name that the public DNS does not have.
 */
export class HostCheck {
  readonly #names: ReadonlySet<string>;
  readonly #ends: readonly string[];
  readonly #allowsAll: boolean;
  /** The names that were given, which a proxy may have for this server. */
  readonly #given: readonly string[];

  /**
   * @param names further names; `*.example.com` stands for every name below example.com, `*` for every name
   * @param listens the name by which this server was told where to listen
   */
  constructor(names: readonly string[], listens = hostname()) {
    this.#given = names.map(normalized).filter((name) => name !== '*');
    const all = [hostname(), listens, ...names].map(normalized);
    this.#names = new Set(all);
    this.#ends = [
      ...PRIVATE_ENDS.map((end) => `.${end}`),
      ...all.filter((name) => name.startsWith('*.')).map((name) => name.slice(1)),
    ];
    this.#allowsAll = all.includes('*');
  }

  /** @param host the header, with or without a port; undefined if there is none, which no browser does */
  allows(host: string | undefined): boolean {
    if (host === undefined || this.#allowsAll) return true;
    const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host)?.[1];
    if (bracketed !== undefined) return isIP(bracketed.replace(/%.*$/, '')) === 6;
    const name = normalized(host.replace(/:\d*$/, ''));
    if (!/^[a-z0-9_.-]+$/.test(name)) return false;
    return (
      isIP(name) === 4 ||
      !name.includes('.') ||
      this.#names.has(name) ||
      this.#ends.some((end) => name.endsWith(end))
    );
  }

  /**
   * Whether a request comes from a page of this server, and not from one of another site. A proxy may change the Host
   * header, so the names that were given are this server's own too.
   *
   * @param origin the header; undefined if there is none, as of programs and of links
   * @param host the header, with or without a port
   */
  allowsOrigin(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined) return true;
    if (!URL.canParse(origin)) return false;
    const from = new URL(origin);
    if (from.protocol !== 'http:' && from.protocol !== 'https:') return false;
    if (host !== undefined && URL.canParse(`${from.protocol}//${host}`)) {
      if (from.host === new URL(`${from.protocol}//${host}`).host) return true;
    }
    const name = normalized(from.hostname);
    return this.#given.some((own) =>
      own.startsWith('*.') ? name.endsWith(own.slice(1)) : name === own,
    );
  }
}

/** Lower case, without the dot of the root. */
function normalized(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
