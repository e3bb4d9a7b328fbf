#!/usr/bin/env node
/** The forebay command. */
import { existsSync } from 'node:fs';
import { EXIT, OperatorFault } from './model/fault.js';
import { nearest } from './options/suggest.js';
import { VERSION } from './version.js';

interface CommandModule {
  readonly help: () => string;
  /** @param argv what follows the command. @returns the exit code, if it is known yet */
  readonly run: (argv: readonly string[]) => Promise<number | undefined>;
}

interface Command {
  /** For the overview, whose lines have at most 80 columns. */
  readonly does: string;
  readonly load: () => Promise<CommandModule>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  serve: {
    does: 'take and process orders (the default)',
    load: () => import('./cli/serve/command.js'),
  },
  check: {
    does: 'say what serve would do, and what is wrong',
    load: () => import('./cli/check/command.js'),
  },
  story: {
    does: 'measure a wave with and without a queue, as a page',
    load: () => drill('story'),
  },
  wave: { does: 'drive a wave of orders at a server', load: () => drill('wave') },
  dlq: {
    does: 'list, show, replay or drop dead letters',
    load: () => import('./cli/dlq/command.js'),
  },
};

/** Loads a drill by name: drills stand beside src, and a small installation such as the image leaves them out. */
async function drill(name: string): Promise<CommandModule> {
  const file = new URL(`../drills/${name}/command.js`, import.meta.url);
  if (existsSync(file)) return import(file.href);
  throw new OperatorFault(
    `forebay ${name} is not part of this installation: run it from the npm package or a clone`,
    EXIT.failed,
  );
}

const HELP = ['--help', '-h'];

async function run(argv: readonly string[]): Promise<void> {
  const [first = 'serve', ...rest] = argv;
  if (HELP.includes(first) || (first === 'help' && rest.length === 0)) {
    process.stdout.write(overview());
  } else if (first === '--version' || first === 'version') {
    process.stdout.write(`forebay ${VERSION}\n`);
  } else if (first === 'help') {
    process.stdout.write((await load(rest[0]!)).help());
  } else if (first.startsWith('-')) {
    await runCommand('serve', argv);
  } else {
    await runCommand(first, rest);
  }
}

async function runCommand(name: string, argv: readonly string[]): Promise<void> {
  const command = await load(name);
  const isAsked = argv[0] === 'help' || HELP.some((flag) => argv.includes(flag));
  if (isAsked) process.stdout.write(command.help());
  else process.exitCode = await command.run(argv);
}

function load(name: string): Promise<CommandModule> {
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name]!.load();
  const meant = nearest(name, Object.keys(COMMANDS));
  throw new OperatorFault(
    `unknown command ${JSON.stringify(name)}: did you mean ${meant}? forebay --help lists all`,
    EXIT.usage,
  );
}

function overview(): string {
  const commands = Object.entries(COMMANDS).map(
    ([name, { does }]) => `  forebay ${name.padEnd(6)}  ${does}`,
  );
  return `forebay: takes orders through the wave, durable before the answer

${commands.join('\n')}

Options of serve that are used most, with their defaults
  --port 3000        where orders are taken     --threads --workers  cores / 2
  --data ./data      folder of the journal      --handler simulate   your module
  --nats URLS        JetStream as the journal   --drain-rate 0       orders/s
  --mode queue       or direct, without queue   --rps-limit 0        requests/s

Examples
  forebay check --nats nats://127.0.0.1:4222
  forebay serve --drain-rate 60 --handler ./shop.mjs
  forebay wave --drain-rate 60

More: forebay COMMAND --help, forebay --version, README.md and docs/
`;
}

run(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof OperatorFault)) throw error;
  process.stderr.write(`forebay: ${error.message}\n`);
  process.exit(error.exitCode);
});
