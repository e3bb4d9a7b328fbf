/** The servers of the open-model benchmarks. Each start is a new process. */
import type { NatsOptions } from '../../test/support/nats.js';
import { bare as bareServers } from '../contestants/bare.js';
import type { RunningContestant } from '../contestants/contestant.js';
import { startAlone, startWithNats } from '../contestants/forebay.js';

export interface Server {
  readonly name: string;
  /** Options that differ from the defaults. */
  readonly flags: readonly string[];
  start(): Promise<RunningContestant>;
}

export function bare(): Server {
  const reference = bareServers[0]!;
  return { name: reference.name, flags: [], start: () => reference.start() };
}

export function direct(more: readonly string[] = []): Server {
  const flags = ['--mode', 'direct', '--rps-limit', '0', ...more];
  return { name: 'Forebay, direct', flags, start: () => startAlone(flags) };
}

export function local(more: readonly string[] = []): Server {
  return { name: 'Forebay, local journal', flags: more, start: () => startAlone(more) };
}

export function jetStream(nats: NatsOptions, more: readonly string[] = []): Server {
  const sync = nats.syncInterval === 'always' ? ', sync always' : '';
  return {
    name: `Forebay, JetStream${sync}${more.includes('off') ? ', drain off' : ''}`,
    flags: more,
    start: () => startWithNats(nats, more),
  };
}
