/** `forebay check`: puts together what looks at what serve would find. */
import { fileURLToPath } from 'node:url';
import { handlerUrl } from '../../../workers/pool/handler-file.js';
import { handlerContext } from '../../drain/handler-context.js';
import { missingServerBinary } from '../../intake/platform.mjs';
import { DIRECT_DURABILITY, type Durability, LOCAL_DURABILITY } from '../../model/durability.js';
import { OperatorFault } from '../../model/fault.js';
import type { FolderFacts, JetStreamFacts } from '../../model/journal-facts.js';
import type { Options } from '../../model/options.js';
import { parseLimits } from '../../model/process-limits.js';
import { type LoadedOptions, loadWithOrigins } from '../../options/load.js';
import { isFolderHeld, lookAtAdminPort, lookAtPort } from '../../process/held.js';
import { VERSION } from '../../version.js';
import { clockFinding } from './clock.js';
import { coreFinding, memoryFinding } from './cores.js';
import { folderFindings } from './data-folder.js';
import type { Finding } from './finding.js';
import { optionFindings } from './given-options.js';
import { guaranteeFinding } from './guarantee.js';
import { handlerFinding, handlerMissing } from './handler.js';
import { loadInThread } from './handler-thread.js';
import { checkHelp } from './help.js';
import { limitFindings } from './limits.js';
import { natsFindings } from './nats.js';
import { portFinding } from './ports.js';
import { exitCodeOf, reportJson, reportText } from './report.js';
import { inspectMachine, installedVersion, limitsText } from './surroundings.js';
import { versionFindings } from './versions.js';

const LOOK_ENTRY = fileURLToPath(
  new URL('../../../workers/pool/check-handler.js', import.meta.url),
);

export const help = checkHelp;

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
  const isHeld = facts.exists && facts.fault === '' && (await isFolderHeld(options.data));
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
    portFinding('--port', host, port, await lookAtPort(host, port)),
    portFinding('--admin-port', adminHost, adminPort, await lookAtAdminPort(adminHost, adminPort)),
  ];
}
