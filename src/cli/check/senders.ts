import { statSync } from 'node:fs';
import { checkKeySource } from '../../idempotency/check-options.js';
import { OperatorFault } from '../../model/fault.js';
import type { Options } from '../../model/options.js';
import { loadContract } from '../../schema/load-contract.js';
import { checkSenderOptions } from '../../senders/check-options.js';
import { SenderFiles } from '../../senders/sender-files.js';
import { type Finding, faultFinding, ok, warn } from './finding.js';

/** Read, write and run, of users other than the owner. */
const OTHER_USERS = 0o077;

/** The keys and signatures; none if nothing is asked for. */
export function senderFindings(options: Options): Finding[] {
  const { apiKeys, verify, verifySecrets, idempotencyFrom, keepHeaders } = options;
  const findings: Finding[] = [];
  const add = (about: string, isOn: boolean, find: () => Finding) => {
    if (isOn) findings.push(orFault(about, find));
  };
  const files = (some: Partial<Options>) =>
    new SenderFiles({ apiKeys: '', verify: '', verifySecrets: '', ...some }, () => {});
  add('API keys', apiKeys !== '', () => {
    const { keyCount, names } = files({ apiKeys });
    return ok('API keys', `${keyCount} keys of ${names} names`, { keys: keyCount, names });
  });
  add('signatures', verify !== '', () => {
    const { secretCount } = files({ verify, verifySecrets });
    const facts = { scheme: verify, secrets: secretCount };
    if (process.platform === 'win32' || (statSync(verifySecrets).mode & OTHER_USERS) === 0) {
      return ok('signatures', `${verify}, ${secretCount} secrets`, facts);
    }
    const problem = `--verify-secrets ${verifySecrets}: other users can read the secrets`;
    return warn('signatures', problem, `chmod 600 ${verifySecrets}`, facts);
  });
  add('kept headers', keepHeaders.length > 0, () => {
    checkSenderOptions(options);
    return ok('kept headers', keepHeaders.join(', ').toLowerCase());
  });
  add('idempotency', idempotencyFrom !== '', () => {
    checkKeySource(idempotencyFrom, loadContract(options.schema, options.allowSlowPatterns).schema);
    return ok(
      'idempotency',
      `the key is in ${idempotencyFrom}, unless there is an Idempotency-Key`,
    );
  });
  return findings;
}

function orFault(about: string, find: () => Finding): Finding {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error;
    return faultFinding(about, error);
  }
}
