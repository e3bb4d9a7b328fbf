import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Options } from '../../src/model/options.js';
import { flagName } from '../../src/options/spec.js';
import type { ProveOptions } from './options.js';

/** Of the load, or of the place where it runs: replaced by what the drill needs. */
const REPLACED = new Set<string>([
  'host',
  'port',
  'listen',
  'adminHost',
  'adminPort',
  'adminHosts',
  'adminTokenFile',
  'logLevel',
  'tlsCert',
  'tlsKey',
  'tlsCa',
  'tlsMin',
  'path',
  'schema',
  'handler',
  'drain',
  'drainRate',
  'drainSchedule',
  'rpsLimit',
  'data',
  'natsStream',
  'apiKeys',
  'verify',
  'verifySecrets',
  'idempotencyFrom',
  'keepHeaders',
  'corsOrigin',
  'connectionsMax',
  'connectionsPerAddressMax',
  'attemptsMax',
  'shutdownDelayMs',
]);

/** The name of the stream may have 64 characters, and what NATS makes of it more. */
const STREAM_CHARS_MAX = 40;

/** Such that neither the streams nor the subjects are those of any other journal. */
export function ownStream({ natsStream }: Options): string {
  return `${natsStream.slice(0, STREAM_CHARS_MAX)}_PROVE_${randomBytes(4).toString('hex')}`;
}

/**
 * Writes the configuration of the server: what was given, but for what the drill sets itself. Other users cannot read the file,
 * because it can hold passwords.
 *
 * @returns the flags of `serve`, and the options that the server takes over from the user
 */
export function writeServerOptions(
  folder: string,
  { server, given, rounds }: ProveOptions,
  { stream, handler }: { readonly stream: string; readonly handler: string },
): { flags: string[]; taken: string[] } {
  const taken = [...given].filter((key) => !REPLACED.has(key));
  const config = Object.fromEntries(taken.map((key) => [flagName(key), server[key]]));
  const own = {
    'nats-stream': stream,
    handler,
    // An order that was in the handler at each kill must not become a dead letter.
    'attempts-max': Math.max(server.attemptsMax, rounds + 1),
  };
  const file = join(folder, 'forebay.json');
  writeFileSync(file, JSON.stringify({ ...config, ...own }), { mode: 0o600 });
  return { flags: ['--config', file], taken: taken.map(flagName) };
}
