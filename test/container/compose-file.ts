import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../monitoring/rule-files.js';

/** A service of docker-compose.yml, as far as the tests look at it. */
export interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly user: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
  readonly cpus?: number;
  readonly mem_limit?: string;
  readonly pids_limit?: number;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const VARIABLE = /\$\{(\w+):-([^}]*)\}/g;

/** docker-compose.yml with its variables filled in: from `env`, else by their defaults, as Compose does. */
export function composeFile(env: Readonly<Record<string, string>> = {}): ComposeFile {
  const fill = (text: string) =>
    text.replace(VARIABLE, (_, name: string, fallback: string) => env[name] || fallback);
  return parse(
    readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'),
    (_, value: unknown) => (typeof value === 'string' ? fill(value) : value),
    { merge: true },
  ) as ComposeFile;
}
