/** Versions, ports, limits, cores, memory and the clock. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { heapFlag, heapFlagText } from '../../drain/heap-flag.js';
import { OperatorFault } from '../../model/fault.js';
import { urlHost } from '../../model/listen.js';
import type { Options } from '../../model/options.js';
import { connectionsMaxOf, type ResourceLimits } from '../../options/process-limits.js';
import type { AddressState } from '../../process/claim-address.js';
import { bytesText, type Finding, fail, ok, warn } from './finding.js';

/** Installed versions by package. */
export interface InstalledVersions {
  readonly forebay: string;
  readonly node: string;
  readonly lmdb: string;
  readonly natsClient: string;
  readonly uWebSockets: string;
}

const NODES_TESTED = [20, 22, 24, 26];

export function versionFinding(versions: InstalledVersions): Finding {
  const { forebay, node, lmdb, natsClient, uWebSockets } = versions;
  const about = 'versions';
  const packages = `uWebSockets.js ${uWebSockets}, lmdb ${lmdb}, nats client ${natsClient}`;
  const text = `forebay ${forebay}, node ${node}, ${packages}`;
  const facts = { forebay, node, lmdb, natsClient, uWebSockets };
  const major = Number(node.replace(/^v/, '').split('.')[0]);
  if (NODES_TESTED.includes(major)) return ok(about, text, facts);
  return warn(about, text, 'use Node 20, 22, 24 or 26: other versions are not tested', facts);
}

/** The installed version of a package, whatever name it was published under. */
export function installedVersion(name: string): string {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of folders) {
    const text = read(join(folder, name, 'package.json'));
    if (text !== '') return (JSON.parse(text) as { version: string }).version;
  }
  return 'missing';
}

/** @param flag `--port` or `--admin-port` */
export function portFinding(
  flag: string,
  host: string,
  port: number,
  state: AddressState,
): Finding {
  const about = flag === '--port' ? 'port' : 'admin port';
  const facts = { port, is: state.is };
  if (port === 0 && state.is === 'free')
    return ok(about, `any free port on ${urlHost(host)}`, facts);
  const text = `${port} on ${urlHost(host)}`;
  switch (state.is) {
    case 'free':
      return ok(about, `${text}: free`, facts);
    case 'forebay': {
      const fix = `stop that process before you start another, or choose another ${flag}`;
      return warn(about, `${text}: in use by a running Forebay`, fix, facts);
    }
    case 'taken': {
      const fix = `choose another ${flag}, or stop the program that listens there`;
      return fail(about, `${text}: in use by another program`, fix, facts);
    }
    case 'refused': {
      const fix = `correct ${flag} or ${flag.replace('port', 'host')}`;
      return fail(about, `${text}: ${state.why}`, fix, facts);
    }
  }
}

/** @param path of the unix socket for orders */
export function socketFinding(path: string, state: AddressState): Finding {
  const about = 'socket';
  const facts = { path, is: state.is };
  const text = `unix:${path}`;
  switch (state.is) {
    case 'free':
      return ok(about, `${text}: free`, facts);
    case 'forebay': {
      const fix = 'stop that process before you start another, or choose another --listen';
      return warn(about, `${text}: in use by a running Forebay`, fix, facts);
    }
    case 'taken': {
      const fix = 'choose another path with --listen, or stop the program that listens there';
      return fail(about, `${text}: in use by another program`, fix, facts);
    }
    case 'refused':
      return fail(about, `${text}: ${state.why}`, 'choose another path with --listen', facts);
  }
}

/** Address space of Node, the reserved heaps of its threads, and the binaries. */
const PROCESS_MAP_BYTES = 64 * 1024 ** 3;
/** Connections that a wave may open. */
const CLIENTS_MIN = 1000;

/** @param mapBytes address space that the journal maps; 0 for none */
export function limitFindings(
  options: Options,
  limits: ResourceLimits,
  mapBytes: number,
): Finding[] {
  return [
    filesFinding(options, limits.openFiles),
    addressFinding(limits.addressSpaceBytes, mapBytes),
  ];
}

function filesFinding(options: Options, openFiles: number): Finding {
  const about = 'open files';
  const fix = 'ulimit -n 65536, or LimitNOFILE=65536 in systemd';
  try {
    const connections = connectionsMaxOf(options, { openFiles });
    const limit = openFiles === Number.POSITIVE_INFINITY ? 'no limit' : `limit ${openFiles}`;
    const text = `${limit}, ${connections} connections of clients`;
    const facts = { openFiles, connections };
    return connections >= CLIENTS_MIN || options.connectionsMax > 0
      ? ok(about, text, facts)
      : warn(about, text, fix, facts);
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error;
    const [problem, does = fix] = error.message.split('; fix: ');
    return fail(about, problem!, does, { openFiles });
  }
}

function addressFinding(spaceBytes: number, mapBytes: number): Finding {
  const about = 'address space';
  if (spaceBytes === Number.POSITIVE_INFINITY) {
    const use = mapBytes === 0 ? '' : `; the journal maps ${bytesText(mapBytes)}`;
    return ok(about, `no limit${use}`);
  }
  const needBytes = mapBytes + PROCESS_MAP_BYTES;
  const text = `limit ${bytesText(spaceBytes)}; the journal maps ${bytesText(mapBytes)}, the process needs about ${bytesText(needBytes)}`;
  if (mapBytes === 0 || spaceBytes >= needBytes) return ok(about, text, { spaceBytes });
  return fail(about, text, 'ulimit -v unlimited, or LimitAS=infinity in systemd', { spaceBytes });
}

/** What the machine, or the container, offers this process. */
export interface MachineFacts {
  readonly cores: number;
  /** The quota of the container; null if there is none. */
  readonly coresQuota: number | null;
  /** Of the machine or the container. */
  readonly memoryBytes: number;
}

/** Where Linux shows a container its limits (cgroup v2). */
const CGROUP = '/sys/fs/cgroup';

export function inspectMachine(): MachineFacts {
  const [quota, period] = read(join(CGROUP, 'cpu.max')).split(' ').map(Number);
  const coresQuota = quota! > 0 && period! > 0 ? quota! / period! : null;
  const memoryMax = Number(read(join(CGROUP, 'memory.max')));
  const memoryBytes = memoryMax > 0 ? Math.min(memoryMax, totalmem()) : totalmem();
  return { cores: availableParallelism(), coresQuota, memoryBytes };
}

/** Of a V8 isolate with its code and buffers, without handlers and keys; measured at about 30 MB. */
const THREAD_BYTES = 32 * 1024 ** 2;
/** A row of the table of idempotency keys, as `--help` says. */
const KEY_BYTES = 64;

/** More threads than cores compete with each other. */
export function coreFinding({ threads, workers }: Options, machine: MachineFacts): Finding {
  const cores = Math.min(machine.cores, machine.coresQuota ?? Number.POSITIVE_INFINITY);
  const quota = machine.coresQuota === null ? '' : ` (container quota ${cores})`;
  const text = `${machine.cores} cores${quota}; --threads ${threads}, --workers ${workers}, and the drain thread`;
  const facts = { cores, threads, workers };
  // The drain thread mostly waits.
  if (threads + workers <= cores) return ok('cores', text, facts);
  // The default on such a machine, and the minimum.
  if (threads <= 1 && workers <= 1) return ok('cores', `${text}: they share cores`, facts);
  return warn('cores', text, 'lower --threads or --workers, or provide more cores', facts);
}

/** Handlers that use their whole --worker-heap-mb and a full table of keys must fit into memory. */
export function memoryFinding(options: Options, { memoryBytes }: MachineFacts): Finding {
  const { threads, workers, workerHeapMb, idempotencyKeysMax } = options;
  const heaps = workers * workerHeapMb * 1024 ** 2;
  const keys = idempotencyKeysMax * KEY_BYTES;
  const needBytes = heaps + keys + (1 + threads) * THREAD_BYTES;
  const text = `${bytesText(memoryBytes)}; needed at most: about ${bytesText(needBytes)}, of which handlers ${bytesText(heaps)} and idempotency keys ${bytesText(keys)}`;
  const facts = { memoryBytes, needBytes };
  if (needBytes <= memoryBytes) return ok('memory', text, facts);
  const fix = 'lower --worker-heap-mb, --workers or --idempotency-keys-max, or provide more memory';
  return warn('memory', text, fix, facts);
}

/** Nothing, unless a flag of node overrides `--worker-heap-mb`. */
export function heapFlagFindings(workerHeapMb: number): Finding[] {
  const found = heapFlag(workerHeapMb, process.execArgv, process.env.NODE_OPTIONS ?? '');
  if (found === null) return [];
  const { text, fix } = heapFlagText(workerHeapMb, found);
  return [warn('handler memory', text, fix, { ...found })];
}

/** A clock before the first release was never set. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);
/** Ids, receipts and the duplicate window tolerate this difference. */
const APART_MS_MAX = 5000;

/** @param natsAheadMs the clock of NATS minus this clock; null if unknown */
export function clockFinding(nowMs: number, natsAheadMs: number | null): Finding {
  const about = 'clock';
  const now = new Date(nowMs).toISOString();
  const fix = 'set the clock and keep it synchronised by NTP (timedatectl set-ntp true)';
  if (nowMs < EARLIEST_MS) return fail(about, `${now}: the clock was never set`, fix);
  if (natsAheadMs === null) return ok(about, now);
  const side = natsAheadMs < 0 ? 'behind' : 'ahead';
  const text = `${now}; the clock of NATS is ${Math.abs(natsAheadMs)} ms ${side}`;
  if (Math.abs(natsAheadMs) <= APART_MS_MAX) return ok(about, text, { natsAheadMs });
  return warn(about, text, fix, { natsAheadMs });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
