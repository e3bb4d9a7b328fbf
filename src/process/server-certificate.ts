import { EXIT, OperatorFault } from '../model/fault.js';
import type { Log } from '../model/log.js';
import type { TlsMaterial } from '../model/tls.js';
import {
  checkedTls,
  fingerprint,
  invalidNow,
  loadTls,
  readTexts,
  readTextsSync,
  type TlsFiles,
  type TlsOptions,
} from './tls-files.js';

/** Interval at which the files are read again. */
const CHECK_MS = 1000;

/**
 * The certificate that the server shows, and its renewal. The files are read again every second, which works for files
 * that are written in place or replaced, and for links that move, as in a volume of Kubernetes.
 */
export class ServerCertificate {
  readonly #options: TlsOptions;
  readonly #log: Log;
  #files: TlsFiles;
  /** The content that was judged last. */
  #judged: string;
  /** The content at the last look. */
  #seen: string;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  /** Null without TLS. @throws OperatorFault the files cannot be used */
  static open(options: TlsOptions, log: Log): ServerCertificate | null {
    return options.tlsCert === '' ? null : new ServerCertificate(options, log);
  }

  private constructor(options: TlsOptions, log: Log) {
    this.#options = options;
    this.#log = log;
    this.#files = loadTls(options);
    this.#judged = fingerprint(readTextsSync(options));
    this.#seen = this.#judged;
    this.#warnIfInvalid();
  }

  get material(): TlsMaterial {
    return this.#files.material;
  }

  /** Epoch milliseconds. */
  get notAfterMs(): number {
    return this.#files.notAfterMs;
  }

  /** @param renew called when the files have changed; resolves with why they cannot be used, empty if they are in use */
  watch(renew: (material: TlsMaterial) => Promise<string>): void {
    let isLooking = false;
    this.#timer = setInterval(() => {
      // A file system that hangs must not pile up looks.
      if (isLooking) return;
      isLooking = true;
      void this.#look(renew).finally(() => {
        isLooking = false;
      });
    }, CHECK_MS);
    this.#timer.unref();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Files that are still being written are different at the next look. */
  async #look(renew: (material: TlsMaterial) => Promise<string>): Promise<void> {
    const texts = await readTexts(this.#options);
    if (this.#isClosed) return;
    const now = fingerprint(texts);
    const isSettled = now === this.#seen;
    this.#seen = now;
    if (!isSettled || now === this.#judged) return;
    this.#judged = now;
    let files: TlsFiles;
    try {
      files = checkedTls(this.#options, texts);
      const why = await renew(files.material);
      if (why !== '') throw new OperatorFault(why, EXIT.usage);
    } catch (error) {
      if (!(error instanceof OperatorFault)) throw error;
      const kept = 'the certificate before stays in use';
      this.#log(
        'tls-renewal-failed',
        `renewed files of TLS are not used: ${error.message}; ${kept}`,
      );
      return;
    }
    // Only now: until all threads use it, the one before is shown, also by the metric of its expiry.
    this.#files = files;
    const { names, notAfterMs } = files;
    const notAfter = new Date(notAfterMs).toISOString();
    this.#log('tls-renewed', `new connections get the renewed certificate (${names})`, {
      notAfter,
    });
    this.#warnIfInvalid();
  }

  #warnIfInvalid(): void {
    const why = invalidNow(this.#files, Date.now());
    if (why === '') return;
    const { certFile } = this.#files.material;
    this.#log('tls-certificate-invalid', `clients will refuse --tls-cert ${certFile}: ${why}`);
  }
}
