import { fileURLToPath } from 'node:url';
import { handlerUrl } from '../../../workers/pool/handler-file.js';
import { handlerContext } from '../../drain/handler-context.js';
import { missingServerBinary } from '../../intake/platform.mjs';
import { parseLimits } from '../../journal/store/data-folder.js';
import { DIRECT_DURABILITY, type Durability, LOCAL_DURABILITY } from '../../model/durability.js';
import { OperatorFault } from '../../model/fault.js';
import type { FolderFacts, JetStreamFacts } from '../../model/journal-facts.js';
import type { Options } from '../../model/options.js';
import { type LoadedOptions, loadWithOrigins } from '../../options/load.js';
import { quote } from '../../options/sources.js';
import { flagName } from '../../options/spec.js';
import { isFolderInUse, probeAdminPort, probePort } from '../../process/locks.js';
import { VERSION } from '../../version.js';
import { exitCodeOf, type Finding, ok, reportJson, reportText } from './finding.js';
import { handlerFinding, handlerMissing, loadInThread } from './handler.js';
import { folderFindings, guaranteeFinding, natsFindings } from './journal.js';
import {
  clockFinding,
  coreFinding,
  inspectMachine,
  installedVersion,
  limitFindings,
  limitsText,
  memoryFinding,
  portFinding,
  versionFindings,
} from './machine.js';

/** `forebay check`: puts together what looks at what serve would find. */

const LOOK_ENTRY = fileURLToPath(
  new URL('../../../workers/pool/check-handler.js', import.meta.url),
);

/** Ends the process with the exit code. @throws OperatorFault an option is wrong */
export async function run(argv: readonly string[]): Promise<never> {
  const isJson = argv.includes('--json');
  const loaded = loadWithOrigins(
    argv.filter((argument) => argument !== '--json'),
    process.env,
  );
  const findings = await lookAround(loaded);
  const report = isJson ? reportJson(findings) : reportText(findings);
  await new Promise((resolve) => process.stdout.write(report, resolve));
  // The NATS client leaves the socket of a dial that timed out open, and that would keep the process.
  process.exit(exitCodeOf(findings));
}

async function lookAround(loaded: LoadedOptions): Promise<Finding[]> {
  const { options } = loaded;
  const machine = inspectMachine();
  // None depends on another, and two may take seconds.
  const [binaryMissing, nats, folder, handler, ports] = await Promise.all([
    missingServerBinary(),
    lookAtNats(options),
    lookAtFolder(options),
    lookAtHandler(options),
    lookAtPorts(options),
  ]);
  const versions = {
    forebay: VERSION,
    node: process.version,
    lmdb: installedVersion('lmdb'),
    natsClient: installedVersion('@nats-io/transport-node'),
    uWebSockets: installedVersion('uWebSockets.js'),
    binaryMissing,
  };
  return [
    ...versionFindings(versions),
    ...optionFindings(loaded),
    guaranteeFinding(durabilityOf(options, nats)),
    ...(nats === null ? [] : natsFindings(options, nats)),
    ...(folder === null ? [] : folderFindings(options, folder.facts, folder.isHeld)),
    handler,
    ...ports,
    ...limitFindings(parseLimits(limitsText()), folder?.facts.mapBytes ?? 0),
    coreFinding(options, machine),
    memoryFinding(options, machine),
    clockFinding(Date.now(), nats?.clockAheadMs ?? null),
  ];
}

function durabilityOf(options: Options, nats: JetStreamFacts | null): Durability {
  if (options.mode === 'direct') return DIRECT_DURABILITY;
  if (nats === null) return LOCAL_DURABILITY;
  if (nats.durability !== null) return nats.durability;
  const until =
    options.spoolOrdersMax > 0
      ? 'what the spool accepts meanwhile is on disk, fsynced before the answer'
      : 'and without a spool nothing is accepted meanwhile';
  // How to mend it is said where NATS is.
  return { class: 'unknown', replicas: 0, text: `NATS has not answered; ${until}`, remedy: '' };
}

async function lookAtNats(options: Options): Promise<JetStreamFacts | null> {
  if (options.mode === 'direct' || options.nats.length === 0) return null;
  const { inspectJetStream } = await import('../../journal/jetstream/inspect.js');
  return inspectJetStream(options);
}

async function lookAtFolder(
  options: Options,
): Promise<{ facts: FolderFacts; isHeld: boolean } | null> {
  if (options.mode === 'direct') return null;
  const { inspectFolder } = await import('../../journal/local/inspect.js');
  const facts = await inspectFolder(options.data);
  const isHeld = facts.exists && facts.fault === '' && (await isFolderInUse(options.data));
  return { facts, isHeld };
}

async function lookAtHandler(options: Options): Promise<Finding> {
  const { handler } = options;
  try {
    const facts = await loadInThread(LOOK_ENTRY, handlerUrl(handler), handlerContext(options));
    return handlerFinding(handler, facts);
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error;
    return handlerMissing(error.message);
  }
}

/** In turn: with both at 0, each listens for a moment on a port that the other might get. */
async function lookAtPorts({ host, port, adminHost, adminPort }: Options): Promise<Finding[]> {
  return [
    portFinding('--port', host, port, await probePort(host, port)),
    portFinding('--admin-port', adminHost, adminPort, await probeAdminPort(adminHost, adminPort)),
  ];
}

/** The mode, and a line for each option that was given, with where its value came from. */
function optionFindings({ options, given }: LoadedOptions): Finding[] {
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

/** What `forebay check --help` prints. */
export function help(): string {
  return `forebay check [serve options] [--json]: says what serve would do with these options, and what is wrong

It serves nobody and changes nothing: no folder, stream, table or lock is made. A server may be running on the
same data folder, ports and NATS. It looks at versions, options and where each comes from, the guarantee in
force, NATS and its streams, the data folder and what waits in it, disk space, the handler, ports, limits,
cores, memory and the clock: a line each, ok, warn or fail, with how to mend it.

The handler's module is loaded in a thread of its own, as serve does; its \`prepare\` is not run. Where it
exports \`check(context)\`, which must only read, that is run: the built-in postgres looks so for its table.

Options
  --json           one JSON object, for programs
  all those of     forebay serve --help; FOREBAY_... variables and --config FILE count too

Examples
  forebay check
  forebay check --nats nats://127.0.0.1:4222 --handler ./shop.mjs
  forebay check --config /etc/forebay.json --json | jq -r '.findings[] | select(.verdict != "ok") | .text'
  forebay check --config new.json && systemctl restart forebay

Exit codes
  0  nothing fails; there may be warnings, such as a port that a running Forebay has
  1  a fault of the surroundings, such as NATS that is away, a full disk, a port that another program has
  2  what was asked for is wrong: an option, the handler, a stream that exists with other settings
`;
}
