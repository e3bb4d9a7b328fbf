import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { EXIT, OperatorFault } from '../model/fault.js';
import type { Options } from '../model/options.js';
import type { TlsMaterial } from '../model/tls.js';

export type TlsOptions = Pick<Options, 'tlsCert' | 'tlsKey' | 'tlsCa' | 'tlsMin'>;

/** Files of TLS that belong together. */
export interface TlsFiles {
  readonly material: TlsMaterial;
  /** The common name and the alternative names of the certificate, in one line. */
  readonly names: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The content of the files. A file that cannot be read has its error as content. */
interface FileTexts {
  readonly cert: string | Error;
  readonly key: string | Error;
  readonly ca: string | Error | null;
}

/** @throws OperatorFault a file cannot be read, or cannot be used */
export function loadTls(options: TlsOptions): TlsFiles {
  return checkedTls(options, readTextsSync(options));
}

/** What the files hold now. Blocks, which only the start may. */
export function readTextsSync({ tlsCert, tlsKey, tlsCa }: TlsOptions): FileTexts {
  const read = (file: string) => {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      return error as Error;
    }
  };
  return { cert: read(tlsCert), key: read(tlsKey), ca: tlsCa === '' ? null : read(tlsCa) };
}

/** What the files hold now, to find out that they have changed. */
export async function readTexts({ tlsCert, tlsKey, tlsCa }: TlsOptions): Promise<FileTexts> {
  const read = (file: string) => readFile(file, 'utf8').catch((error: Error) => error);
  const [cert, key, ca] = await Promise.all([
    read(tlsCert),
    read(tlsKey),
    tlsCa === '' ? null : read(tlsCa),
  ]);
  return { cert, key, ca };
}

/** The same for the same content. It does not tell the key. */
export function fingerprint({ cert, key, ca }: FileTexts): string {
  const hash = createHash('sha256');
  for (const text of [cert, key, ca]) hash.update(`${String(text).length} ${text}`);
  return hash.digest('hex');
}

/** @throws OperatorFault one of the files cannot be used */
export function checkedTls(options: TlsOptions, texts: FileTexts): TlsFiles {
  const { tlsCert, tlsKey, tlsCa, tlsMin } = options;
  const cert = readable('--tls-cert', tlsCert, texts.cert);
  const key = readable('--tls-key', tlsKey, texts.key);
  const ca = texts.ca === null ? null : readable('--tls-ca', tlsCa, texts.ca);
  const certificate = certificateOf('--tls-cert', tlsCert, cert);
  if (ca !== null) certificateOf('--tls-ca', tlsCa, ca);
  if (!certificate.checkPrivateKey(keyOf(tlsKey, key))) {
    throw unusable('--tls-key', tlsKey, `it is not the key of --tls-cert ${tlsCert}`);
  }
  try {
    createSecureContext({ cert, key, ...(ca === null ? {} : { ca }) });
  } catch (error) {
    throw unusable('--tls-cert', tlsCert, (error as Error).message);
  }
  return {
    material: { certFile: tlsCert, keyFile: tlsKey, cert, key, ca, minVersion: tlsMin },
    names: namesOf(certificate),
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
  };
}

/** Why clients will refuse the certificate now; empty if its time is right. */
export function invalidNow(
  { notBeforeMs, notAfterMs }: Pick<TlsFiles, 'notBeforeMs' | 'notAfterMs'>,
  nowMs: number,
): string {
  if (nowMs > notAfterMs) return `it expired at ${new Date(notAfterMs).toISOString()}`;
  if (nowMs < notBeforeMs) return `it is valid only from ${new Date(notBeforeMs).toISOString()}`;
  return '';
}

function readable(flag: string, file: string, text: string | Error): string {
  if (typeof text === 'string') return text;
  const fix = 'name a PEM file that Forebay can read';
  throw new OperatorFault(`${flag} ${file}: ${text.message}; fix: ${fix}`, EXIT.failed);
}

function certificateOf(flag: string, file: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw unusable(flag, file, 'it does not begin with a certificate in PEM');
  }
}

function keyOf(file: string, text: string): KeyObject {
  if (/ENCRYPTED/.test(text)) {
    throw unusable('--tls-key', file, 'it is encrypted, and passwords are not supported');
  }
  try {
    return createPrivateKey(text);
  } catch {
    throw unusable('--tls-key', file, 'it holds no private key in PEM');
  }
}

function unusable(flag: string, file: string, why: string): OperatorFault {
  const fix = 'a certificate with its chain in --tls-cert, its key in --tls-key, both in PEM';
  return new OperatorFault(`${flag} ${file}: ${why}; fix: ${fix}`, EXIT.usage);
}

function namesOf({ subject, subjectAltName }: X509Certificate): string {
  const names = [subject?.replaceAll('\n', ', '), subjectAltName].filter(Boolean);
  return names.length === 0 ? 'no name' : names.join('; ');
}
