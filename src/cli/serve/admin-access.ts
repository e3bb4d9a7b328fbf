/** Who may use the admin server of this process. */
import type { AdminServer } from '../../admin/server.js';
import type { Log } from '../../model/log.js';
import type { Options } from '../../model/options.js';
import { exposedTokens, openAdminText, openAdminTokens } from '../../options/admin-tokens.js';
import type { WatchedFile } from '../../options/watched-file.js';

/**
 * The tokens of `--admin-token-file`; null without it.
 *
 * @throws OperatorFault the file cannot be read, or used
 */
export function adminTokens(options: Options, log: Log): WatchedFile<string[]> | null {
  return options.adminTokenFile === '' ? null : openAdminTokens(options.adminTokenFile, log);
}

/** Logs if more people than the operator may use the admin server. */
export function warnOfAccess(options: Options, admin: AdminServer, log: Log): void {
  const { adminHost, adminTokenFile } = options;
  const exposed = adminTokenFile === '' ? null : exposedTokens(adminTokenFile);
  if (exposed !== null) log('admin-token-readable', `${exposed.problem}; fix: ${exposed.fix}`);
  if (adminTokenFile !== '' || admin.isOnLoopback) return;
  log('admin-open', openAdminText(adminHost));
}
