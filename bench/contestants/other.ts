import type { Contestant, Durability, RunningContestant } from './contestant.js';
import type { Need } from './needs.js';

/** A server that one would pick instead of Forebay. */
export interface OtherContestant extends Contestant {
  readonly kind: 'other';
  /** @returns what is not on this machine yet and would have to be got, in one line; null: nothing */
  lacking(): Promise<string | null>;
  start(): Promise<RunningOther>;
}

export interface RunningOther extends RunningContestant {
  readonly broker: Omit<Broker, 'stop'>;
}

/** Where the orders go, on ports and in a folder of its own. */
export interface Broker {
  readonly kind: 'jetstream' | 'redis' | 'rabbitmq';
  readonly url: string;
  /** Its processes by name. */
  readonly pids: Readonly<Record<string, number>>;
  /** Ends its processes and removes what they kept. */
  stop(): Promise<void>;
}

/** What speaks HTTP, on a port of its own. */
export interface Front {
  readonly url: string;
  readonly pid: number;
  /** Where there is more than one process, all but the first, by name. */
  readonly others: Readonly<Record<string, number>>;
  readonly readyMs: number;
  stop(): Promise<void>;
}

export interface OtherParts {
  readonly name: string;
  readonly durability: Durability;
  readonly about: string;
  readonly needs: readonly Need[];
  readonly startBroker: () => Promise<Broker>;
  readonly startFront: (brokerUrl: string) => Promise<Front>;
}

/** A broker, and in front of it a program that takes orders and answers when the broker has them. */
export function otherContestant(parts: OtherParts): OtherContestant {
  const { name, durability, about, needs } = parts;
  return {
    name,
    kind: 'other',
    durability,
    about,
    lacking: () => firstOf(needs, (need) => need.lacking()),
    missing: () => firstOf(needs, (need) => get(need)),
    start: () => start(parts),
  };
}

async function firstOf(
  needs: readonly Need[],
  look: (need: Need) => Promise<string | null>,
): Promise<string | null> {
  for (const need of needs) {
    const reason = await look(need);
    if (reason !== null) return reason;
  }
  return null;
}

async function get(need: Need): Promise<string | null> {
  if ((await need.lacking()) === null) return null;
  return need.get().then(
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
