import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const ROOT = join(import.meta.dirname, '..', '..', '..');
export const MONITORING = join(ROOT, 'monitoring');

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Recording {
  readonly record: string;
  readonly expr: string;
}

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly (Alert | Recording)[] }[];
}

export const alerts = rulesOf('alerts.yml') as readonly Alert[];
export const recordings = rulesOf('recording.yml') as readonly Recording[];

function rulesOf(file: string): readonly (Alert | Recording)[] {
  const { groups } = parse(readFileSync(join(MONITORING, file), 'utf8')) as RuleFile;
  return groups.flatMap(({ rules }) => rules);
}
