import { startForebay } from '../../test/support/forebay.js';
import { type NatsOptions, NatsServer, natsProgram } from '../../test/support/nats.js';
import type { Contestant, Durability, RunningContestant } from './contestant.js';

export type Journal = 'local' | 'JetStream' | 'JetStream sync always';

const JOURNALS: Readonly<Record<Journal, { durability: Durability; about: string }>> = {
  local: {
    durability: 'fsync',
    about: 'group commit to a log that is flushed before the 200',
  },
  JetStream: {
    durability: 'system',
    about:
      'group commit to JetStream with file storage and the default sync interval; acknowledged before the 200',
  },
  'JetStream sync always': {
    durability: 'fsync',
    about: 'the same with `sync_interval: always`: NATS flushes each message before its ack',
  },
};

/** Defaults, except for what is compared and a quieter log. */
const COMMON_FLAGS = ['--log-level', 'warn'];

export const forebay: readonly Contestant[] = [
  {
    name: 'Forebay, direct',
    kind: 'forebay',
    durability: 'none',
    about: 'no queue: the pool processes each order before the response; `--rps-limit 0`',
    batches: 'lines',
    missing: async () => null,
    start: () => startAlone(['--mode', 'direct', '--rps-limit', '0']),
  },
  ...queued('local'),
  ...queued('JetStream'),
  ...queued('JetStream sync always'),
  ...onNodeHttp('local'),
  ...onNodeHttp('JetStream'),
  {
    name: 'Forebay, JetStream, drain on, 2 + 2 threads',
    kind: 'forebay',
    durability: JOURNALS.JetStream.durability,
    about: 'as JetStream with the drain on; `--threads 2 --workers 2`',
    missing: natsMissing,
    start: () => startWithNats({}, ['--drain', 'on', '--threads', '2', '--workers', '2']),
  },
];

/** The other HTTP engine, for Node versions without a binary of uWebSockets.js. One intake thread, as every Node has it. */
function onNodeHttp(journal: 'local' | 'JetStream'): Contestant[] {
  const [{ batches: _, ...withDrainOff }] = queued(journal);
  const flags = ['--drain', 'off', '--http', 'node', '--threads', '1'];
  return [
    {
      ...withDrainOff,
      name: `${queuedName(journal, 'off')}, node:http`,
      about: `as ${queuedName(journal, 'off')} with \`--http node\` and one intake thread`,
      start: () => (journal === 'local' ? startAlone(flags) : startWithNats({}, flags)),
    },
  ];
}

export function queuedName(journal: Journal, drain: 'on' | 'off'): string {
  return `Forebay, ${journal}, drain ${drain}`;
}

/** Drain off measures the intake alone. Drain on also empties the journal, with a handler that does nothing. */
function queued(journal: Journal): [Contestant, Contestant] {
  const { durability, about } = JOURNALS[journal];
  const sync: NatsOptions = journal === 'JetStream sync always' ? { syncInterval: 'always' } : {};
  const withDrain = (drain: 'on' | 'off'): Contestant => ({
    name: queuedName(journal, drain),
    kind: 'forebay',
    durability,
    about: drain === 'off' ? about : `${about}; processed meanwhile by a handler that does nothing`,
    batches: 'lines',
    missing: journal === 'local' ? async () => null : natsMissing,
    start: () =>
      journal === 'local'
        ? startAlone(['--drain', drain])
        : startWithNats(sync, ['--drain', drain]),
  });
  return [withDrain('off'), withDrain('on')];
}

/** @param flags in addition to COMMON_FLAGS */
export async function startAlone(flags: readonly string[]): Promise<RunningContestant> {
  const server = await startForebay([...COMMON_FLAGS, ...flags]);
  const { url, adminUrl, pid, readyAfterMs: readyMs } = server;
  // The backlog is thrown away with the server: draining it would only take time.
  return { url, adminUrl, pid, behind: {}, readyMs, stop: () => server.kill9() };
}

/** The same with its own nats-server. */
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
