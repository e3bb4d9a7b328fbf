import type { Broker } from './brokers.js';
import type { BatchForm, Contestant, Durability, RunningContestant } from './contestant.js';
import type { Need } from './needs.js';

/** An alternative to Forebay: an HTTP server in front of a broker. */
export interface OtherContestant extends Contestant {
  readonly kind: 'other';
  /** Installs nothing. @returns null, or in one line what is not installed on this machine */
  lacking(): Promise<string | null>;
  start(): Promise<RunningOther>;
}

export interface RunningOther extends RunningContestant {
  readonly broker: Omit<Broker, 'stop'>;
}

/** The program that serves HTTP. */
export interface Front {
  readonly url: string;
  readonly pid: number;
  /** Its processes other than the first, by name. */
  readonly others: Readonly<Record<string, number>>;
  readonly readyMs: number;
  stop(): Promise<void>;
}

export interface OtherParts {
  readonly name: string;
  readonly durability: Durability;
  readonly about: string;
  readonly batches?: BatchForm;
  readonly needs: readonly Need[];
  readonly startBroker: () => Promise<Broker>;
  readonly startFront: (brokerUrl: string) => Promise<Front>;
}

export function otherContestant(parts: OtherParts): OtherContestant {
  const { name, durability, about, batches, needs } = parts;
  return {
    ...(batches === undefined ? {} : { batches }),
    name,
    kind: 'other',
    durability,
    about,
    lacking: () => firstOf(needs, (need) => need.lacking()),
    missing: () => firstOf(needs, install),
    start: () => start(parts),
  };
}

async function firstOf(
  needs: readonly Need[],
  check: (need: Need) => Promise<string | null>,
): Promise<string | null> {
  for (const need of needs) {
    const reason = await check(need);
    if (reason !== null) return reason;
  }
  return null;
}

async function install(need: Need): Promise<string | null> {
  if ((await need.lacking()) === null) return null;
  return need.install().then(
    () => null,
    (error: Error) => error.message,
  );
}

async function start({ startBroker, startFront }: OtherParts): Promise<RunningOther> {
  const { stop: stopBroker, ...broker } = await startBroker();
  try {
    const { stop: stopFront, others, ...front } = await startFront(broker.url);
    const stop = async () => {
      await stopFront();
      await stopBroker();
    };
    return { ...front, adminUrl: null, behind: { ...others, ...broker.pids }, broker, stop };
  } catch (error) {
    await stopBroker();
    throw error;
  }
}
