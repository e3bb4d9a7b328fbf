export const TLS_VERSIONS = ['1.2', '1.3'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** What an HTTP engine needs for TLS. The files were read and checked; they can have changed since. */
export interface TlsMaterial {
  /** Paths of PEM files. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Their content. */
  readonly cert: string;
  readonly key: string;
  /** Certificates of which one must have signed that of a client; null: clients need none. */
  readonly ca: string | null;
  readonly minVersion: TlsVersion;
}
