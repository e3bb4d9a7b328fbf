import { schema } from './schema.js';
import { type AnySpec, defaultText, environmentName, flagName, GROUPS, rangeText } from './spec.js';

const COLUMNS_MAX = 100;
/** Where the text of an option starts; a flag that reaches further has a line to itself. */
const TEXT_COLUMN = 34;

const CLOSING = [
  '',
  'Examples',
  '  forebay serve',
  '  forebay serve --drain-rate 60 --handler ./shop.mjs',
  '  forebay serve --nats nats://a:4222,nats://b:4222 --nats-replicas 3 --data /var/lib/forebay',
  '  FOREBAY_PORT=8080 forebay serve --mode direct --rps-limit 50',
  '  forebay check ...    the same options: says what serve would do, and what is wrong',
  '',
  'Exit codes',
  '  0    stopped in order',
  '  1    a fault of the surroundings, such as a port that is taken: starting again may help',
  '  2    options, handler file or the declared stream are wrong: starting again will not help',
  '  137  ended by SIGKILL: a second signal, or --shutdown-ms-max passed',
];

/** What `forebay serve --help` prints. */
export function serveHelp(): string {
  const lines = [
    'forebay serve [options]',
    '',
    ...wrap(
      'Takes orders over HTTP, makes each one durable before it answers, and has a pool of threads process them.',
      COLUMNS_MAX,
    ),
    ...wrap(
      'Every option can also be set in the environment (--rps-limit is FOREBAY_RPS_LIMIT) or in a JSON file (--config FILE, "rps-limit": 50). Flag wins over environment over file.',
      COLUMNS_MAX,
    ),
  ];
  for (const group of GROUPS) {
    lines.push('', group);
    for (const [key, spec] of Object.entries(schema) as [string, AnySpec][]) {
      if (spec.group === group) lines.push(...optionLines(flagName(key), spec));
    }
  }
  lines.push('', 'Other');
  lines.push(...entry('--config <file>', 'JSON file with options, named like the flags'));
  lines.push(...entry('--help', 'this text'));
  lines.push(...CLOSING);
  return `${lines.join('\n')}\n`;
}

function optionLines(flag: string, spec: AnySpec): string[] {
  return entry(
    `--${flag} ${placeholder(spec)}`,
    `${spec.help} (${shortRange(spec)}default ${defaultText(spec)})`,
  );
}

function placeholder(spec: AnySpec): string {
  if (spec.type === 'choice') {
    return spec.choices.length <= 3 ? spec.choices.join('|') : '<level>';
  }
  return spec.type === 'switch' ? 'on|off' : `<${spec.unit}>`;
}

/** Empty where the placeholder already says it all. */
function shortRange(spec: AnySpec): string {
  if (spec.type === 'integer' || spec.type === 'number') return `${spec.min} to ${spec.max}; `;
  return spec.type === 'choice' && spec.choices.length > 3 ? `${rangeText(spec)}; ` : '';
}

function entry(left: string, text: string): string[] {
  const head = `  ${left}`;
  const indent = ' '.repeat(TEXT_COLUMN);
  const body = wrap(text, COLUMNS_MAX - TEXT_COLUMN).map((line) => indent + line);
  if (head.length >= TEXT_COLUMN - 1) return [head, ...body];
  return [head.padEnd(TEXT_COLUMN) + body[0].slice(TEXT_COLUMN), ...body.slice(1)];
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}

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
