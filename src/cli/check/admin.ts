import { lookup } from 'node:dns/promises';
import { OperatorFault } from '../../model/fault.js';
import { isLoopback } from '../../model/listen.js';
import type { Options } from '../../model/options.js';
import { exposedTokens, openAdminText, openAdminTokens } from '../../options/admin-tokens.js';
import { type Finding, faultFinding, ok, plural, warn } from './finding.js';

const ABOUT = 'admin access';

/** Who may use the admin server; none if only this machine can. */
export async function adminFindings({ adminHost, adminTokenFile }: Options): Promise<Finding[]> {
  if (adminTokenFile !== '') return [tokenFinding(adminTokenFile)];
  // An unknown host name is a finding about the port.
  const { address } = await lookup(adminHost).catch(() => ({ address: '127.0.0.1' }));
  if (isLoopback(address)) return [];
  const [problem, fix = ''] = openAdminText(adminHost).split(/; fix: (.*)/s);
  return [warn(ABOUT, problem!, fix)];
}

function tokenFinding(file: string): Finding {
  try {
    const tokens = openAdminTokens(file, () => {}).value.length;
    const exposed = exposedTokens(file);
    if (exposed !== null) return warn(ABOUT, exposed.problem, exposed.fix, { tokens });
    return ok(ABOUT, plural(tokens, 'token'), { tokens });
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error;
    return faultFinding(ABOUT, error);
  }
}
