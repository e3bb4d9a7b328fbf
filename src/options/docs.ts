import { schema } from './schema.js';
import { type AnySpec, defaultText, environmentName, flagName, GROUPS, rangeText } from './spec.js';

/** docs/reference/options.md, from the schema. */
export function optionsDoc(): string {
  return [
    '# Options',
    '',
    'Generated from src/options/ by `node scripts/options-doc.mjs`; do not edit.',
    '',
    'Three sources, the first that has a value wins: a flag (`--rps-limit 50` or `--rps-limit=50`), the',
    'environment (`FOREBAY_RPS_LIMIT=50`; an empty variable counts as unset), and a JSON file given by',
    '`--config FILE` or `FOREBAY_CONFIG` whose members are named like the flags (`{"rps-limit": 50}`).',
    'Numbers are written in decimal. An unknown option, a value out of range, or two options that',
    "can't go together end the start with one line and exit code 2. Other variables that begin with",
    '`FOREBAY_` are left alone, unless they look like one of these misspelt.',
    ...GROUPS.flatMap(section),
    '',
    '## Together',
    '',
    '- `--retry-ms-min` is at most `--retry-ms-max`.',
    '- `--frame-bytes-max` is more than `--body-bytes-max`.',
    '- `--port` and `--admin-port` differ, unless both are 0 or the two hosts are different addresses.',
    '- `--threads` is 1 where it is not Linux.',
    '',
  ].join('\n');
}

function section(group: string): string[] {
  const rows = (Object.entries(schema) as [string, AnySpec][])
    .filter(([, spec]) => spec.group === group)
    .map(([key, spec]) => row(flagName(key), spec));
  return [
    '',
    `## ${group}`,
    '',
    '| flag | environment | unit | default | range | what it is |',
    '|---|---|---|---|---|---|',
    ...rows,
  ];
}

function row(flag: string, spec: AnySpec): string {
  const unit = 'unit' in spec ? spec.unit : '';
  return `| \`--${flag}\` | \`${environmentName(flag)}\` | ${unit} | ${defaultText(spec)} | ${rangeText(spec)} | ${spec.help} |`;
}
