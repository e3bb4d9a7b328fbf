import { OperatorFault } from '../../model/fault.js';
import type { Options } from '../../model/options.js';
import { invalidNow, loadTls } from '../../process/tls-files.js';
import { type Finding, faultFinding, ok, warn } from './finding.js';

const DAY_MS = 86_400_000;
/** Certificates of 90 days are usually renewed 30 days before their end. */
const EXPIRY_DAYS_MIN = 14;

/** The certificate of the server; none without TLS. */
export function tlsFindings(options: Options, nowMs: number): Finding[] {
  return options.tlsCert === '' ? [] : [tlsFinding(options, nowMs)];
}

function tlsFinding(options: Options, nowMs: number): Finding {
  const about = 'TLS';
  try {
    const files = loadTls(options);
    const { names, notAfterMs } = files;
    const notAfter = new Date(notAfterMs).toISOString();
    const facts = { names, notAfter, minVersion: options.tlsMin };
    const clients = options.tlsCa === '' ? '' : ', clients must show a certificate';
    const text = `${names}; expires at ${notAfter}; TLS ${options.tlsMin} or later${clients}`;
    const invalid = invalidNow(files, nowMs);
    if (invalid !== '') {
      return warn(about, `${names}: clients will refuse it: ${invalid}`, 'renew it', facts);
    }
    const days = Math.floor((notAfterMs - nowMs) / DAY_MS);
    if (days >= EXPIRY_DAYS_MIN) return ok(about, text, facts);
    return warn(
      about,
      `${text}, in ${days} days`,
      'renew it; the server takes it up by itself',
      facts,
    );
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error;
    return faultFinding(about, error);
  }
}
