import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certificate authority in a folder of its own, and the certificates that it signs. */
export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'forebay-certificates-'));
  /** Its own certificate, in PEM. */
  readonly ca = join(this.folder, 'ca.pem');

  constructor() {
    const key = this.#file('ca.key');
    openssl('req', '-x509', ...CURVE, '-keyout', key, '-out', this.ca, '-subj', '/CN=test');
  }

  /**
   * @param names as OpenSSL writes them, such as `DNS:localhost,IP:127.0.0.1`
   * @param days until it expires; -1 has expired
   */
  sign(name: string, names: string, days = 2): Certificate {
    const [cert, key] = [this.#file(`${name}.pem`), this.#file(`${name}.key`)];
    const [request, extensions] = [this.#file(`${name}.csr`), this.#file(`${name}.cnf`)];
    openssl('req', ...CURVE, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    const signer = ['-CA', this.ca, '-CAkey', this.#file('ca.key'), '-CAcreateserial'];
    const until = ['-days', `${days}`, '-extfile', extensions];
    openssl('x509', '-req', '-in', request, ...signer, '-out', cert, ...until);
    return { cert, key };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #file(name: string): string {
    return join(this.folder, name);
  }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
