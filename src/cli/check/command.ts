/** `forebay check`: reports what `forebay serve` would find, and changes nothing. */
import { fileURLToPath } from 'node:url';
import { chooseEngine } from '../../../workers/intake/engine.js';
import { handlerUrl } from '../../../workers/pool/handler-file.js';
import { handlerContext } from '../../drain/handler-context.js';
import { DIRECT_DURABILITY, type Durability, localDurability } from '../../model/durability.js';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { FolderFacts, JetStreamFacts } from '../../model/journal-facts.js';
import type { Options } from '../../model/options.js';
import { type LoadedOptions, loadWithOrigins, redactorOf } from '../../options/load.js';
import { processLimits } from '../../options/process-limits.js';
import { quoteOption } from '../../options/sources.js';
import { exposureText, flagName } from '../../options/spec.js';
import { probeAddress, probeAdminPort, unixPath } from '../../process/claim-address.js';
import { folderLockFault, isFolderInUse, lockingFault, REMOVE_LOCK } from '../../process/locks.js';
import { claimPid } from '../../process/pid-lock.js';
import { VERSION } from '../../version.js';
import { adminFindings } from './admin.js';
import {
  exitCodeOf,
  type Finding,
  fail,
  failConfig,
  ok,
  reportJson,
  reportText,
  warn,
} from './finding.js';
import { handlerFinding, handlerMissing, loadInThread } from './handler.js';
import { folderFindings, guaranteeFinding, natsFindings } from './journal.js';
import {
  clockFinding,
  coreFinding,
  heapFlagFindings,
  inspectMachine,
  installedVersion,
  limitFindings,
  memoryFinding,
  portFinding,
  socketFinding,
  versionFinding,
} from './machine.js';

import { scheduleFindings } from './schedule.js';
import { schemaFindings } from './schema.js';
import { senderFindings } from './senders.js';

import { tlsFindings } from './tls.js';

const HANDLER_ENTRY = fileURLToPath(
  new URL('../../../workers/pool/check-handler.js', import.meta.url),
);

/** Prints the report and ends the process. @throws OperatorFault an option is invalid */
export async function run(argv: readonly string[]): Promise<never> {
  const { isJson, exampleFile, rest } = ownArguments(argv);
  const loaded = loadWithOrigins(rest, process.env);
  const findings = await checkAll(loaded, exampleFile);
  const redact = redactorOf(loaded.options);
  const report = isJson ? reportJson(findings, redact) : reportText(findings, redact);
  await new Promise((resolve) => process.stdout.write(report, resolve));
  // The NATS client leaves the socket of a failed dial open, which would keep the process alive.
  process.exit(exitCodeOf(findings));
}

/** `--json` and `--example FILE`, and what is left for the options of serve. */
function ownArguments(argv: readonly string[]) {
  let exampleFile = '';
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    if (argument.startsWith('--example=')) exampleFile = argument.slice('--example='.length);
    else if (argument === '--example') exampleFile = argv[++i] ?? '';
    else if (argument !== '--json') rest.push(argument);
    else continue;
    if (argument.startsWith('--example') && exampleFile === '') {
      throw new OperatorFault(
        '--example: needs a file with a body; see forebay check --help',
        EXIT.usage,
      );
    }
  }
  return { isJson: argv.includes('--json'), exampleFile, rest };
}

async function checkAll(loaded: LoadedOptions, exampleFile: string): Promise<Finding[]> {
  const { options } = loaded;
  const machine = inspectMachine();
  // In parallel, because some take seconds.
  const [engine, nats, folder, handler, ports] = await Promise.all([
    checkEngine(options),
    inspectNats(options),
    inspectDataFolder(options),
    checkHandler(options),
    checkPorts(options),
  ]);
  const versions = {
    forebay: VERSION,
    node: process.version,
    lmdb: installedVersion('lmdb'),
    natsClient: installedVersion('@nats-io/transport-node'),
    uWebSockets: installedVersion('uWebSockets.js'),
  };
  return [
    versionFinding(versions),
    engine,
    ...optionFindings(loaded),
    ...schemaFindings(options, exampleFile),
    guaranteeFinding(durabilityOf(options, nats, folder?.facts ?? null)),
    ...(nats === null ? [] : natsFindings(options, nats)),
    ...(folder === null ? [] : folderFindings(options, folder.facts, folder.isInUse)),
    ...scheduleFindings(options, Date.now()),
    handler,
    ...ports,
    ...tlsFindings(options, Date.now()),
    ...(await adminFindings(options)),
    ...senderFindings(options),
    ...limitFindings(options, processLimits(), folder?.facts.mapBytes ?? 0),
    coreFinding(options, machine),
    memoryFinding(options, machine),
    ...heapFlagFindings(options.workerHeapMb),
    clockFinding(Date.now(), nats?.clockAheadMs ?? null),
  ];
}

function durabilityOf(
  options: Options,
  nats: JetStreamFacts | null,
  folder: FolderFacts | null,
): Durability {
  if (folder === null) return DIRECT_DURABILITY;
  if (nats === null) return localDurability(folder.fileSystem);
  if (nats.durability !== null) return nats.durability;
  if (nats.refusal !== '') {
    return { class: 'unknown', replicas: 0, text: 'serve would not start', remedy: '' };
  }
  const until =
    options.spoolOrdersMax > 0
      ? 'until it does, the spool accepts orders, fsynced before the answer'
      : 'until it does, no orders are accepted, because there is no spool';
  // The finding about NATS has the fix.
  return { class: 'unknown', replicas: 0, text: `NATS does not answer; ${until}`, remedy: '' };
}

async function inspectNats(options: Options): Promise<JetStreamFacts | null> {
  if (options.mode === 'direct' || options.nats.length === 0) return null;
  const { inspectJetStream } = await import('../../journal/jetstream/inspect.js');
  // One of the drain thread, and one of each intake thread.
  return inspectJetStream(options, 1 + Math.max(1, options.threads));
}

async function inspectDataFolder(
  options: Options,
): Promise<{ facts: FolderFacts; isInUse: boolean } | null> {
  if (options.mode === 'direct') return null;
  const { inspectFolder } = await import('../../journal/local/inspect.js');
  const pid = await claimPid(options.data).catch((error: OperatorFault) => error);
  const [blocked, releasePid] =
    pid instanceof OperatorFault ? [pid.message, async () => {}] : ['', pid];
  const facts = await inspectFolder(options.data, blocked);
  await releasePid();
  const isInUse = facts.exists && facts.fault === '' && (await isFolderInUse(options.data));
  const fault = facts.exists && facts.fault === '' && !isInUse ? folderLockFault(options.data) : '';
  return { facts: fault === '' ? facts : { ...facts, fault, fix: REMOVE_LOCK }, isInUse };
}

async function checkHandler(options: Options): Promise<Finding> {
  const { handler } = options;
  try {
    const facts = await loadInThread(HANDLER_ENTRY, handlerUrl(handler), handlerContext(options));
    return handlerFinding(handler, facts);
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error;
    return handlerMissing(error.message);
  }
}

async function checkEngine(options: Options): Promise<Finding> {
  try {
    const { name, threads, text } = await chooseEngine(options);
    return ok('http', text, { engine: name, threads });
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error;
    const [problem, fix = ''] = error.message.split(/; fix: (.*)/s);
    return failConfig('http', problem!, fix);
  }
}

/** In sequence: with both ports 0, each probe briefly listens on a port that the other could get. */
async function checkPorts(options: Options): Promise<Finding[]> {
  const { host, port, listen, adminHost, adminPort } = options;
  const state = await probeAddress(options);
  return [
    listen === ''
      ? portFinding('--port', host, port, state)
      : socketFinding(unixPath(listen), state),
    portFinding('--admin-port', adminHost, adminPort, await probeAdminPort(adminHost, adminPort)),
    ...(await lockFindings()),
  ];
}

/** Only if serve could not lock the port and the data folder. */
async function lockFindings(): Promise<Finding[]> {
  const fault = await lockingFault();
  if (fault === null) return [];
  const [problem, fix = ''] = fault.message.split('; ');
  const facts = { locks: false };
  return [
    fault.exitCode === EXIT.usage
      ? failConfig('locks', problem!, fix, facts)
      : fail('locks', problem!, fix, facts),
  ];
}

/** The mode, and each option that was set, with its origin. */
function optionFindings({ options, given, ofKubernetes, exposed }: LoadedOptions): Finding[] {
  const { mode } = options;
  const meaning =
    mode === 'direct'
      ? 'orders are processed before they are answered; nothing is stored'
      : `orders are answered when durable in ${journalOf(options)}, and processed later`;
  const flags = [...given].map(([key, { value, origin }]) => {
    const flag = `--${flagName(key)}`;
    const quoted = quoteOption(key, value);
    const shown = typeof value === 'string' ? quoted.replace(/^"(.*)"$/, '$1') : quoted;
    return ok('option', `${flag} ${shown} (${origin})`, { flag, value: shown, origin });
  });
  const findings = [ok('mode', `${mode}: ${meaning}`, { mode }), ...flags];
  if (ofKubernetes.length > 0) {
    const variables = ofKubernetes.join(', ');
    findings.push(ok('variables', `${variables}: of a Kubernetes Service, ignored`, { variables }));
  }
  if (exposed.length > 0) {
    const [problem, fix = ''] = exposureText(exposed).split('; ');
    findings.push(warn('password', problem!, fix));
  }
  return findings;
}

function journalOf({ nats, drain }: LoadedOptions['options']): string {
  const journal = nats.length > 0 ? 'NATS JetStream' : 'the local journal';
  return drain ? journal : `${journal} (by another process: --drain off)`;
}

/** What `forebay check --help` prints. */
export function help(): string {
  return `forebay check [serve options] [--json]: test what serve would do

It accepts no orders and leaves nothing behind: no folder, stream, table or
lock. A server may be running with the same data folder, ports and NATS. If
streams are missing, it creates one under another name for a moment, because a
NATS server tells its limits in no other way. It checks versions, options and
their origin, the guarantee, NATS and its streams, the data folder, waiting
orders, disk space, the handler, TLS, ports, limits, cores, memory and the
clock. Each check prints one line, ok, warn or fail, and how to fix it.

With --drain-schedule, it lists the drain rates of the next 24 hours.

With --schema, it lists for each keyword whether it is compiled to the scanner
or left to ajv, and why. It measures what a body costs: that of --example, or
one made from the examples and defaults of the schema.

The handler is loaded in a separate thread. Its prepare function is not called.
If it exports check(context), that is called: it must only read. The built-in
postgres uses it to look for its table.

Options
  --json           print one JSON object
  --example FILE   a body whose cost is measured
  all options of   forebay serve --help, also as variables and --config FILE

Examples
  forebay check
  forebay check --nats nats://127.0.0.1:4222 --handler ./shop.mjs
  forebay check --json | jq '.findings[] | select(.verdict != "ok")'
  forebay check --schema order.schema.json --example order.json
  forebay check --drain-schedule night.txt
  forebay check --config new.json && systemctl restart forebay

Exit codes
  0  no failure; there may be warnings, such as a port that Forebay uses
  1  the environment fails: NATS does not answer, a full disk, a port in use
  2  an option, the handler or an existing stream is wrong
`;
}
