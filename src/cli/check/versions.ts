import { type Finding, fail, ok, warn } from './finding.js';

/** What is installed, by package. */
export interface InstalledVersions {
  readonly forebay: string;
  readonly node: string;
  readonly lmdb: string;
  readonly natsClient: string;
  readonly uWebSockets: string;
  /** Why the binary of uWebSockets.js cannot be loaded, and what to type; null when it can. */
  readonly binaryMissing: string | null;
}

const NODES_TESTED = [20, 22];

export function versionFindings(versions: InstalledVersions): Finding[] {
  const { forebay, node, lmdb, natsClient, uWebSockets, binaryMissing } = versions;
  const about = 'versions';
  const packages = `uWebSockets.js ${uWebSockets}, lmdb ${lmdb}, nats client ${natsClient}`;
  const text = `forebay ${forebay}, node ${node}, ${packages}`;
  const facts = { forebay, node, lmdb, natsClient, uWebSockets };
  if (binaryMissing !== null) {
    const [what, remedy = ''] = binaryMissing.split(/: (.*)/s);
    return [ok(about, text, facts), fail('http server', what!, remedy)];
  }
  const major = Number(node.replace(/^v/, '').split('.')[0]);
  if (NODES_TESTED.includes(major)) return [ok(about, text, facts)];
  return [warn(about, text, 'use Node 20 or 22: others are not tested', facts)];
}
