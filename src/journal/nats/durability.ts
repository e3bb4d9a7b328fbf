import { PersistMode, StorageType, type StreamConfig } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Durability, DurabilityClass } from '../../model/durability.js';
import type { Log } from '../../model/log.js';
import { type JetStreamConnection, managerOf } from './connection.js';

/** With this many replicas, a majority survives the loss of one. */
const REPLICAS_MIN = 3;
const MONITOR_PORT = 8222;
const ASK_MS_MAX = 1000;
const CHECK_MS = 10_000;

/** Where the servers' monitoring is. */
interface MonitoringPlaces {
  /** NATS URLs; when no monitor is named, port 8222 of each is asked. */
  readonly servers: readonly string[];
  /** HTTP URLs of the servers' monitoring. */
  readonly monitors: readonly string[];
}

export interface JetStreamDurabilityParts extends MonitoringPlaces {
  readonly connection: JetStreamConnection;
  readonly stream: string;
  readonly log: Log;
}

/** The part of a server's `/varz` that is used. */
interface ServerStatus {
  readonly server_id?: string;
  readonly jetstream?: { readonly config?: { readonly sync_always?: boolean } };
}

/** The settings of a stream that decide what it survives. */
export type StorageSettings = Pick<StreamConfig, 'num_replicas' | 'storage'> &
  Partial<Pick<StreamConfig, 'persist_mode'>>;

/** What an order survives, weakest first. An unknown guarantee cannot fall. */
const RANK: Readonly<Record<DurabilityClass, number>> = {
  unknown: 0,
  none: 0,
  os: 1,
  spool: 1,
  fsync: 2,
  replicated: 2,
};

/** By whether every message is flushed. */
const FLUSH = {
  true: 'fsynced before the ack',
  false: 'fsynced within the sync_interval of the server, 2 minutes by default',
  null: 'fsync interval unknown: the monitoring endpoint does not answer (see --nats-monitor)',
} as const;

const REMEDY =
  'for more, configure sync_interval: always (nats-server 2.10 or later), or use --nats-replicas 3';

/**
 * Finds out which guarantee NATS gives: how the stream is stored, how many replicas it has, and whether each server
 * flushes every message. A client cannot ask for the last; it is in the servers' monitoring (`/varz`). When that does
 * not answer, the weaker guarantee is assumed and reported. Asked periodically, because an operator can replace or
 * change the stream while the connection stays.
 */
export class JetStreamDurability {
  readonly #parts: JetStreamDurabilityParts;
  readonly #stopListening: () => void;
  readonly #timer: NodeJS.Timeout;
  #found: Durability = {
    class: 'unknown',
    replicas: 0,
    text: 'NATS has not answered yet',
    remedy: '',
  };

  constructor(parts: JetStreamDurabilityParts) {
    this.#parts = parts;
    this.#stopListening = parts.connection.onChange((up) => {
      if (up) void this.#check();
    });
    this.#timer = setInterval(() => void this.#check(), CHECK_MS);
    this.#timer.unref();
  }

  get found(): Durability {
    return this.#found;
  }

  close(): void {
    this.#stopListening();
    clearInterval(this.#timer);
  }

  async #check(): Promise<void> {
    const { connection, log } = this.#parts;
    if (!connection.up) return;
    try {
      const found = await this.#ask(connection.nc);
      if (found.text !== this.#found.text) {
        const line = [found.text, found.remedy].filter(Boolean).join('; ');
        const hasFallen = RANK[found.class] < RANK[this.#found.class];
        if (hasFallen) log('guarantee-fell', line, { class: found.class });
        else log('guarantee', line, { class: found.class });
      }
      this.#found = found;
    } catch {
      // Disconnected again. The last result still holds for what was accepted, and the connection reports the fault.
    }
  }

  async #ask(nc: NatsConnection): Promise<Durability> {
    const manager = await managerOf(nc);
    const { config } = await manager.streams.info(this.#parts.stream);
    return askDurability(nc, config, this.#parts);
  }
}

/** What a stream with these settings survives on these servers. */
export async function askDurability(
  nc: NatsConnection,
  settings: StorageSettings,
  places: MonitoringPlaces,
): Promise<Durability> {
  const sync = await syncAlways(nc.info?.server_id ?? '', places);
  const at = `NATS ${nc.info?.version} at ${nc.getServer()}: accepted means`;
  const replicas = settings.num_replicas;
  const weakness = weaknessOf(settings);
  if (replicas >= REPLICAS_MIN) {
    const text = `${at} on a majority of ${replicas} servers, ${weakness || FLUSH[`${sync}`]}`;
    return { class: 'replicated', replicas, text, remedy: '' };
  }
  if (weakness !== '') {
    const remedy = 'recreate the stream with the settings that forebay check shows';
    return {
      class: 'none',
      replicas,
      text: `${at} ${weakness}, gone when the server ends`,
      remedy,
    };
  }
  if (sync === true) {
    return { class: 'fsync', replicas, text: `${at} on disk, ${FLUSH.true}`, remedy: '' };
  }
  const text = `${at} written to its operating system, ${FLUSH[`${sync}`]}`;
  return { class: 'os', replicas, text, remedy: REMEDY };
}

/** Why an acknowledgement does not mean that the message was written; empty when it does. */
function weaknessOf({ storage, persist_mode: persist }: StorageSettings): string {
  if (storage !== StorageType.File) return `in memory only (storage ${storage})`;
  return persist === PersistMode.Async ? 'not written yet (persist_mode async)' : '';
}

/** Whether all servers flush every message; null when one of them, or the connected one, does not answer. */
async function syncAlways(
  serverId: string,
  { monitors, servers }: MonitoringPlaces,
): Promise<boolean | null> {
  const urls = monitors.length > 0 ? monitors : servers.map(monitorOf);
  const answers = await Promise.all(urls.map(askMonitor));
  // Port 8222 of that machine may belong to another server.
  if (!answers.some((answer) => answer?.server_id === serverId)) return null;
  if (answers.includes(null)) return null;
  return answers.every((answer) => answer?.jetstream?.config?.sync_always === true);
}

function monitorOf(server: string): string {
  const { hostname } = new URL(server.includes('://') ? server : `nats://${server}`);
  return `http://${hostname}:${MONITOR_PORT}`;
}

async function askMonitor(url: string): Promise<ServerStatus | null> {
  try {
    const answer = await fetch(new URL('/varz', url), { signal: AbortSignal.timeout(ASK_MS_MAX) });
    return (await answer.json()) as ServerStatus;
  } catch {
    return null;
  }
}
