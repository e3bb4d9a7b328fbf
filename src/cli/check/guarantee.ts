import type { Durability } from '../../model/durability.js';
import { type Finding, ok, warn } from './finding.js';

/** What a 200 would mean. */
export function guaranteeFinding({ class: name, replicas, text, remedy }: Durability): Finding {
  const facts = { class: name, replicas };
  const line = `${name}: ${text}`;
  return remedy === '' ? ok('guarantee', line, facts) : warn('guarantee', line, remedy, facts);
}
