/** The servers of the open-model benches, in one place; a fresh one each time it is started. */
import { startForebay } from '../../test/support/forebay.js';
import { type NatsOptions, NatsServer } from '../../test/support/nats.js';
import { contenders } from '../contenders.js';
import type { RunningContestant } from '../contestants/contestant.js';

export interface Driven {
  readonly name: string;
  /** What is set other than by default. */
  readonly flags: readonly string[];
  start(): Promise<RunningContestant>;
}

const FLAGS = ['--log-level', 'error'];

export function bare(): Driven {
  const start = async () => ({ ...(await contenders[0]!.start()), behind: {} });
  return { name: 'bare uWebSockets.js', flags: [], start };
}

export function direct(more: readonly string[] = []): Driven {
  const flags = ['--mode', 'direct', '--rps-limit', '0', ...more];
  return { name: 'Forebay, direct', flags, start: () => startAlone(flags) };
}

export function local(more: readonly string[] = []): Driven {
  return { name: 'Forebay, local journal', flags: more, start: () => startAlone(more) };
}

export function jetStream(nats: NatsOptions, more: readonly string[] = []): Driven {
  const sync = nats.syncInterval === 'always' ? ', sync always' : '';
  return {
    name: `Forebay, JetStream${sync}${more.includes('off') ? ', drain off' : ''}`,
    flags: more,
    start: () => startWithNats(nats, more),
  };
}

async function startAlone(flags: readonly string[]): Promise<RunningContestant> {
  const server = await startForebay([...FLAGS, ...flags]);
  const { url, adminUrl, pid, readyAfterMs: readyMs } = server;
  // The backlog is thrown away with the server: to drain it first would only take time.
  return { url, adminUrl, pid, behind: {}, readyMs, stop: () => server.kill9() };
}

async function startWithNats(
  options: NatsOptions,
  flags: readonly string[],
): Promise<RunningContestant> {
  const nats = await NatsServer.start(options);
  try {
    const running = await startAlone(['--nats', nats.url, ...flags]);
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
