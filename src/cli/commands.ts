/** The subcommands of the forebay command. */
import { existsSync } from 'node:fs';
import { inspect } from 'node:util';
import { EXIT, OperatorFault } from '../model/fault.js';
import type { StopSignals } from '../model/stop-signals.js';
import { quote, redactorOfSources } from '../options/sources.js';
import { suggestion } from '../options/suggest.js';
import { openFilesFault } from '../process/open-files.js';
import { VERSION } from '../version.js';

interface CommandModule {
  readonly help: () => string;
  /** @param argv what follows the subcommand. @returns the exit code; undefined while the server runs */
  readonly run: (argv: readonly string[], signals: StopSignals) => Promise<number | undefined>;
}

interface Command {
  /** For the overview, whose lines have at most 80 columns. */
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  serve: {
    summary: 'accept and process orders (the default)',
    load: () => import('./serve/command.js'),
  },
  check: {
    summary: 'test what serve would do with these options',
    load: () => import('./check/command.js'),
  },
  story: {
    summary: 'compare a wave with and without a queue, as a page',
    load: () => drill('story'),
  },
  prove: {
    summary: 'kill a server with your options: is any order lost?',
    load: () => drill('prove'),
  },
  wave: { summary: 'send a wave of orders to a server', load: () => drill('wave') },
  health: {
    summary: 'ask a running server how it is, for containers',
    load: () => import('./health/command.js'),
  },
  drain: {
    summary: 'show and set the rate of processing, and pause it',
    load: () => import('./drain/command.js'),
  },
  keys: { summary: 'make an API key', load: () => import('./keys/command.js') },
  types: {
    summary: 'write the TypeScript types of a schema',
    load: () => import('./types/command.js'),
  },
  backup: {
    summary: 'make a consistent copy of the data folder',
    load: () => import('./backup/command.js'),
  },
  dlq: {
    summary: 'list, show, replay or drop dead letters',
    load: () => import('./dlq/command.js'),
  },
};

/** Loads a drill by name. Some installations, such as the image, have no drills. */
async function drill(name: string): Promise<CommandModule> {
  const file = new URL(`../../drills/${name}/command.js`, import.meta.url);
  if (existsSync(file)) return import(file.href);
  throw new OperatorFault(
    `forebay ${name} is not part of this installation; use the npm package or a clone`,
    EXIT.failed,
  );
}

const HELP = ['--help', '-h'];

/**
 * Picks a subcommand and runs it.
 *
 * @param argv the arguments of the forebay command
 * @param signals what a stop signal does until the subcommand says otherwise
 */
export async function runCommandLine(argv: readonly string[], signals: StopSignals): Promise<void> {
  const fail = (error: unknown) => reportAndExit(error, argv);
  // A server replaces this by its ordered shutdown.
  process.on('uncaughtException', fail);
  try {
    await pick(argv, signals);
  } catch (error) {
    fail(error);
  }
}

/** One line if the operator can fix it, else the stack; without secrets. */
function reportAndExit(error: unknown, argv: readonly string[]): never {
  const redact = redactorOfSources(argv, process.env);
  const isFault = error instanceof OperatorFault;
  const line = isFault ? error.message : openFilesFault(error);
  process.stderr.write(redact(line === null ? `${inspect(error)}\n` : `forebay: ${line}\n`));
  process.exit(isFault ? error.exitCode : EXIT.failed);
}

async function pick(argv: readonly string[], signals: StopSignals): Promise<void> {
  const [first = 'serve', ...rest] = argv;
  if (HELP.includes(first) || (first === 'help' && rest.length === 0)) {
    process.stdout.write(overview());
  } else if (first === '--version' || first === 'version') {
    process.stdout.write(`forebay ${VERSION}\n`);
  } else if (first === 'help') {
    process.stdout.write((await load(rest[0]!)).help());
  } else if (first.startsWith('-')) {
    await runCommand('serve', argv, signals);
  } else {
    await runCommand(first, rest, signals);
  }
}

async function runCommand(
  name: string,
  argv: readonly string[],
  signals: StopSignals,
): Promise<void> {
  const command = await load(name);
  const wantsHelp = argv[0] === 'help' || HELP.some((flag) => argv.includes(flag));
  if (wantsHelp) process.stdout.write(command.help());
  else process.exitCode = await command.run(argv, signals);
}

function load(name: string): Promise<CommandModule> {
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name]!.load();
  const hint = suggestion(name, Object.keys(COMMANDS), (command) => command);
  throw new OperatorFault(`unknown command ${quote(name)}: ${hint}`, EXIT.usage);
}

function overview(): string {
  const commands = Object.entries(COMMANDS).map(
    ([name, { summary }]) => `  forebay ${name.padEnd(6)}  ${summary}`,
  );
  return `forebay: order intake that makes each order durable before it answers

${commands.join('\n')}

Common options of serve, with their defaults
  --port 3000        port for orders            --threads --workers  cores / 2
  --data ./data      data folder                --handler simulate   your module
  --nats URLS        JetStream journal          --drain-rate 0       orders/s
  --mode queue       or direct, without queue   --rps-limit 0        orders/s

Example
  forebay serve --drain-rate 60 --handler ./shop.mjs

See also: forebay COMMAND --help, forebay --version, README.md, docs/
`;
}
