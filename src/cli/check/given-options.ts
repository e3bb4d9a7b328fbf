import type { LoadedOptions } from '../../options/load.js';
import { quote } from '../../options/sources.js';
import { flagName } from '../../options/spec.js';
import { type Finding, ok } from './finding.js';

/** The mode, and a line for each option that was given, with where its value came from. */
export function optionFindings({ options, given }: LoadedOptions): Finding[] {
  const { mode } = options;
  const does =
    mode === 'direct'
      ? 'each order is processed before it is answered, nothing is kept'
      : `an order is answered once it is durable in ${journalOf(options)}, and processed behind`;
  const flags = [...given].map(([key, { value, origin }]) => {
    const flag = `--${flagName(key)}`;
    const shown = typeof value === 'string' ? quote(value).replace(/^"(.*)"$/, '$1') : quote(value);
    return ok('option', `${flag} ${shown} (${origin})`, { flag, value: shown, origin });
  });
  return [ok('mode', `${mode}: ${does}`, { mode }), ...flags];
}

function journalOf({ nats, drain }: LoadedOptions['options']): string {
  const journal = nats.length > 0 ? 'NATS JetStream' : 'the local journal';
  return drain ? journal : `${journal} (by another process: --drain is off)`;
}
