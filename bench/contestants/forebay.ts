import { startForebay } from '../../test/support/forebay.js';
import { type NatsOptions, NatsServer, natsProgram } from '../../test/support/nats.js';
import type { Contestant, Durability, RunningContestant } from './contestant.js';

export type Journal = 'local' | 'JetStream' | 'JetStream sync always';

const JOURNALS: Readonly<Record<Journal, { durability: Durability; about: string }>> = {
  local: {
    durability: 'fsync',
    about: 'group commit to a log that is flushed before each answer; its frames then go into LMDB',
  },
  JetStream: {
    durability: 'system',
    about:
      "group commit to JetStream on file, NATS' default sync interval, acknowledged before each answer",
  },
  'JetStream sync always': {
    durability: 'fsync',
    about:
      'the same with `sync_interval: always`: NATS flushes each message before it acknowledges it',
  },
};

export const TWO_THREADS = 'Forebay, JetStream, drain on, 2 + 2 threads';

/** Defaults but for what is to be compared: only the log is quieter. */
const ALWAYS = ['--log-level', 'warn'];

export const forebay: readonly Contestant[] = [
  {
    name: 'Forebay, direct',
    kind: 'forebay',
    durability: 'none',
    about: 'no queue: each order is processed by the pool before its answer; `--rps-limit 0`',
    missing: async () => null,
    start: () => startAlone(['--mode', 'direct', '--rps-limit', '0']),
  },
  ...queued('local'),
  ...queued('JetStream'),
  ...queued('JetStream sync always'),
  {
    name: TWO_THREADS,
    kind: 'forebay',
    durability: JOURNALS.JetStream.durability,
    about: 'as above, `--threads 2 --workers 2`',
    missing: natsMissing,
    start: () => startWithNats({}, ['--drain', 'on', '--threads', '2', '--workers', '2']),
  },
];

export function queuedName(journal: Journal, drain: 'on' | 'off'): string {
  return `Forebay, ${journal}, drain ${drain}`;
}

/** Without the drain, what is measured is the intake; with it, a handler that does nothing empties the journal meanwhile. */
function queued(journal: Journal): Contestant[] {
  const { durability, about } = JOURNALS[journal];
  const sync: NatsOptions = journal === 'JetStream sync always' ? { syncInterval: 'always' } : {};
  return (['off', 'on'] as const).map((drain) => ({
    name: queuedName(journal, drain),
    kind: 'forebay',
    durability,
    about: drain === 'off' ? about : `${about}; processed meanwhile by a handler that does nothing`,
    missing: journal === 'local' ? async () => null : natsMissing,
    start: () =>
      journal === 'local'
        ? startAlone(['--drain', drain])
        : startWithNats(sync, ['--drain', drain]),
  }));
}

/** @param flags besides those of every Forebay here */
export async function startAlone(flags: readonly string[]): Promise<RunningContestant> {
  const server = await startForebay([...ALWAYS, ...flags]);
  const { url, adminUrl, pid, readyAfterMs: readyMs } = server;
  // The backlog is thrown away with the server: to drain it first would only take time.
  return { url, adminUrl, pid, behind: {}, readyMs, stop: () => server.kill9() };
}

/** The same with a nats-server of its own. */
export async function startWithNats(
  options: NatsOptions,
  flags: readonly string[],
): Promise<RunningContestant> {
  const nats = await NatsServer.start(options);
  try {
    const running = await startAlone([...flags, '--nats', nats.url]);
    const stop = async () => {
      await running.stop();
      await nats.stop();
    };
    return { ...running, behind: { 'nats-server': nats.pid }, stop };
  } catch (error) {
    await nats.stop();
    throw error;
  }
}

async function natsMissing(): Promise<string | null> {
  return natsProgram('nats-server').then(
    () => null,
    (error: Error) => error.message,
  );
}
