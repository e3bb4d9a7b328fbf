/** The servers of the open-model benches, in one place; a fresh one each time it is started. */
import type { NatsOptions } from '../../test/support/nats.js';
import { bare as yardsticks } from '../contestants/bare.js';
import type { RunningContestant } from '../contestants/contestant.js';
import { startAlone, startWithNats } from '../contestants/forebay.js';

export interface Driven {
  readonly name: string;
  /** What is set other than by default. */
  readonly flags: readonly string[];
  start(): Promise<RunningContestant>;
}

export function bare(): Driven {
  const yardstick = yardsticks[0]!;
  return { name: yardstick.name, flags: [], start: () => yardstick.start() };
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
