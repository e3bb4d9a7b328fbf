import type { HttpChoice } from '../model/options.js';

/** `listen({ reusePort: true })` came with Node 23.1. */
const NODE_SHARES_SINCE = [23, 1] as const;

/**
 * Whether several threads can listen on one port, so that the kernel spreads the connections. Only Linux does that.
 * `auto` counts as uWebSockets.js, which always can.
 */
export function sharesPort(
  http: HttpChoice,
  platform: NodeJS.Platform = process.platform,
  nodeVersion: string = process.versions.node,
): boolean {
  if (platform !== 'linux') return false;
  if (http !== 'node') return true;
  const [major, minor] = nodeVersion.split('.').map(Number);
  const [sinceMajor, sinceMinor] = NODE_SHARES_SINCE;
  return major! > sinceMajor || (major === sinceMajor && minor! >= sinceMinor);
}
