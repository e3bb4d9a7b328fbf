import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import type { ResourceLimits } from '../../journal/store/data-folder.js';
import type { Options } from '../../model/options.js';
import { bytesText, type Finding, fail, ok, warn } from './finding.js';

/** What the machine, or the container, gives this process. */
export interface MachineFacts {
  readonly cores: number;
  /** By the container's quota; null where there is none. */
  readonly coresQuota: number | null;
  /** Of the machine or the container; bytes. */
  readonly memoryBytes: number;
}

/** Of a V8 isolate with its code and buffers, beside what handlers and keys take; measured at about 30 MB. */
const THREAD_BYTES = 32 * 1024 ** 2;
/** A row of the table of idempotency keys, as `--help` says. */
const KEY_BYTES = 64;

/** Threads beyond the cores only wait for each other. */
export function coreFinding({ threads, workers }: Options, machine: MachineFacts): Finding {
  const cores = Math.min(machine.cores, machine.coresQuota ?? Number.POSITIVE_INFINITY);
  const quota = machine.coresQuota === null ? '' : `, of which the container may use ${cores}`;
  const text = `${machine.cores} cores${quota}; --threads ${threads}, --workers ${workers}, and the main thread`;
  const facts = { cores, threads, workers };
  // The main thread mostly waits.
  if (threads + workers <= cores) return ok('cores', text, facts);
  // That is the default there, and the least there can be.
  if (threads <= 1 && workers <= 1) return ok('cores', `${text}: they share`, facts);
  return warn('cores', text, 'give it more cores, or fewer --threads and --workers', facts);
}

/** Handlers that use all that --worker-heap-mb lets them, and a full table of keys, must fit. */
export function memoryFinding(options: Options, { memoryBytes }: MachineFacts): Finding {
  const { threads, workers, workerHeapMb, idempotencyKeysMax } = options;
  const heaps = workers * workerHeapMb * 1024 ** 2;
  const keys = idempotencyKeysMax * KEY_BYTES;
  const needBytes = heaps + keys + (1 + threads) * THREAD_BYTES;
  const text = `${bytesText(memoryBytes)}; at most about ${bytesText(needBytes)} needed, ${bytesText(heaps)} of it by handlers, ${bytesText(keys)} by idempotency keys`;
  const facts = { memoryBytes, needBytes };
  if (needBytes <= memoryBytes) return ok('memory', text, facts);
  const mend =
    'lower --worker-heap-mb, --workers or --idempotency-keys-max, or give it more memory';
  return warn('memory', text, mend, facts);
}

/** Node, its threads' reserved heaps, and the binaries. */
const PROCESS_MAP_BYTES = 64 * 1024 ** 3;
/** Journal, logs, threads and connections to NATS and databases. */
const OWN_FILES = 256;
/** What one wave of customers may well need. */
const CLIENTS_MIN = 1000;

/** @param mapBytes address space that the journal maps; 0 for none */
export function limitFindings(limits: ResourceLimits, mapBytes: number): Finding[] {
  return [filesFinding(limits.openFiles), spaceFinding(limits.addressSpaceBytes, mapBytes)];
}

function filesFinding(openFiles: number): Finding {
  const clients = Math.max(0, openFiles - OWN_FILES);
  if (clients === Number.POSITIVE_INFINITY) return ok('open files', 'no limit');
  const text = `${openFiles}, so at most about ${clients} connections at once`;
  if (clients >= CLIENTS_MIN) return ok('open files', text, { openFiles });
  return warn('open files', text, 'ulimit -n 65536, or LimitNOFILE=65536 of systemd', {
    openFiles,
  });
}

function spaceFinding(spaceBytes: number, mapBytes: number): Finding {
  const about = 'address space';
  if (spaceBytes === Number.POSITIVE_INFINITY) {
    const use = mapBytes === 0 ? '' : `; the journal maps ${bytesText(mapBytes)} of it`;
    return ok(about, `no limit${use}`);
  }
  const needBytes = mapBytes + PROCESS_MAP_BYTES;
  const text = `${bytesText(spaceBytes)}; the journal maps ${bytesText(mapBytes)}, about ${bytesText(needBytes)} are needed in all`;
  if (mapBytes === 0 || spaceBytes >= needBytes) return ok(about, text, { spaceBytes });
  return fail(about, text, 'ulimit -v unlimited, or LimitAS=infinity of systemd', { spaceBytes });
}

/** A clock that stands before the first release was never set. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);
/** Ids, receipts and the duplicate window bear this much. */
const APART_MS_MAX = 5000;

/** @param natsAheadMs NATS' clock less this one; null where it is not known */
export function clockFinding(nowMs: number, natsAheadMs: number | null): Finding {
  const about = 'clock';
  const now = new Date(nowMs).toISOString();
  const mend = 'set the clock, and have it kept by NTP (timedatectl set-ntp true)';
  if (nowMs < EARLIEST_MS) return fail(about, `${now}: it was never set`, mend);
  if (natsAheadMs === null) return ok(about, now);
  const apart = `${now}; that of NATS is ${Math.abs(natsAheadMs)} ms ${natsAheadMs < 0 ? 'behind' : 'ahead'}`;
  if (Math.abs(natsAheadMs) <= APART_MS_MAX) return ok(about, apart, { natsAheadMs });
  return warn(about, apart, mend, { natsAheadMs });
}

/** How a port was found. */
export type PortFacts =
  | { readonly is: 'free' | 'forebay' | 'taken' }
  | { readonly is: 'refused'; readonly why: string };

/** `flag` is `--port` or `--admin-port`. */
export function portFinding(flag: string, host: string, port: number, found: PortFacts): Finding {
  const about = flag === '--port' ? 'port' : 'admin port';
  const facts = { port, is: found.is };
  if (port === 0 && found.is === 'free') return ok(about, `any free one on ${host}`, facts);
  const text = `${port} on ${host}`;
  switch (found.is) {
    case 'free':
      return ok(about, `${text}: free`, facts);
    case 'forebay':
      return warn(
        about,
        `${text}: a Forebay that runs has it`,
        `serve starts once that one has stopped; to run both, choose another ${flag}`,
        facts,
      );
    case 'taken':
      return fail(
        about,
        `${text}: taken`,
        `choose another ${flag}, or stop what listens there`,
        facts,
      );
    case 'refused':
      return fail(
        about,
        `${text}: ${found.why}`,
        `see ${flag} and ${flag.replace('port', 'host')}`,
        facts,
      );
  }
}

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

/** Where Linux shows a container its limits (cgroup v2). */
const CGROUP = '/sys/fs/cgroup';

export function inspectMachine(): MachineFacts {
  const [quota, period] = read(join(CGROUP, 'cpu.max')).split(' ').map(Number);
  const coresQuota = quota! > 0 && period! > 0 ? quota! / period! : null;
  const memoryMax = Number(read(join(CGROUP, 'memory.max')));
  const memoryBytes = memoryMax > 0 ? Math.min(memoryMax, totalmem()) : totalmem();
  return { cores: availableParallelism(), coresQuota, memoryBytes };
}

/** The limits of this process as the kernel writes them; empty where that is not Linux. */
export function limitsText(): string {
  return read('/proc/self/limits');
}

/** The version of a package as it is installed, whatever name it was published under. */
export function installedVersion(name: string): string {
  const places = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const place of places) {
    const text = read(join(place, name, 'package.json'));
    if (text !== '') return (JSON.parse(text) as { version: string }).version;
  }
  return 'missing';
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
