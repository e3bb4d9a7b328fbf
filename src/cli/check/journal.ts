/** The guarantee, NATS, and the data folder. */

import { join } from 'node:path';
import { COPY_FIX } from '../../journal/store/open-mark.js';
import { isOfFormerSchedule, keptText } from '../../model/drain-control.js';
import { type Durability, storageRisk } from '../../model/durability.js';
import { messageBytesMax } from '../../model/frame.js';
import type {
  DeclaredFacts,
  FolderFacts,
  JetStreamFacts,
  LocalFacts,
} from '../../model/journal-facts.js';
import type { Options } from '../../model/options.js';
import { ageText, bytesText, type Finding, fail, failConfig, ok, plural, warn } from './finding.js';

/** Of the stream of messages that the drain could not read. */
const FOREIGN_ROLE = 'foreign messages';

/** A limit is nearly reached above this share of it: a wave may fill the rest. */
const FULL_RATIO = 0.9;

/** What an accepted order survives. */
export function guaranteeFinding({ class: name, replicas, text, remedy }: Durability): Finding {
  const facts = { class: name, replicas };
  const line = `${name}: ${text}`;
  return remedy === '' ? ok('guarantee', line, facts) : warn('guarantee', line, remedy, facts);
}

/** NATS, and the streams and consumers of the journal. */
export function natsFindings(options: Options, facts: JetStreamFacts): Finding[] {
  if (facts.fault !== '') return [unreachableFinding(options, facts)];
  const { shown, version, declared } = facts;
  if (version === '') return refusalFindings(facts);
  return [
    ok('nats', `nats-server ${version} at ${shown} answers, with JetStream`, { version }),
    ...refusalFindings(facts),
    ...connectionsFindings(facts),
    ...declared.map(declaredFinding),
    storageFinding(facts),
    ...messageFinding(options, facts.messageBytesMax),
  ];
}

function refusalFindings({ refusal }: JetStreamFacts): Finding[] {
  if (refusal === '') return [];
  const isOurs = /--nats-(?:tls|creds|nkey)/.test(refusal);
  return isOurs
    ? [failConfig('nats access', refusal, 'correct that option or its file; serve would not start')]
    : [failConfig('nats limits', refusal, 'change that in NATS; serve would not start')];
}

/** Orders of a thread without a connection go through the spool. */
function connectionsFindings({ connectionsFault: fault }: JetStreamFacts): Finding[] {
  if (fault === '') return [];
  const fix = 'raise max_connections of the server or account, or lower --threads';
  return [warn('nats connections', fault, fix)];
}

function unreachableFinding({ spoolOrdersMax }: Options, { fault }: JetStreamFacts): Finding {
  const effect =
    spoolOrdersMax > 0
      ? 'serve would start and put orders into the spool until NATS answers'
      : 'serve would wait and answer 503 until NATS answers, because there is no spool';
  return fail(
    'nats',
    `${fault}: ${effect}`,
    'start NATS with JetStream (nats-server -js), or correct host, port or credentials in --nats',
    { isAway: true },
  );
}

function declaredFinding(facts: DeclaredFacts): Finding {
  const { kind, name, role, exists, difference, pause } = facts;
  const { messages, bytes, replicas, inHand } = facts;
  const what = `${name} (${role})`;
  const known = { name, role, exists };
  if (!exists) return ok(kind, `${what}: does not exist, would be created`, known);
  if (difference !== '') {
    const fix = 'correct its settings in NATS, or choose another stream with --nats-stream';
    return failConfig(kind, difference, fix, known);
  }
  if (pause !== '') {
    return fail(kind, pause, 'resume it; serve would start, and orders would wait', known);
  }
  if (kind === 'consumer') {
    const text = `${what}: settings match; ${plural(inHand, 'frame')} delivered and not settled`;
    return ok(kind, text, { ...known, inHand });
  }
  const size = `${plural(messages, 'message')}, ${bytesText(bytes)}, ${plural(replicas, 'replica')}`;
  const text = `${what}: settings match; ${size}; ${limitText(facts)}`;
  const counts = { ...known, messages, bytes, replicas };
  const fix =
    'raise its limits (nats stream edit) or process faster: orders get 503 when it is full';
  if (role === FOREIGN_ROLE && messages > 0) {
    const take = 'see forebay dlq unreadable, and take them out with forebay dlq set-aside';
    return warn(kind, `${text}; they are no frames, or damaged, and not processed`, take, counts);
  }
  return isNearlyFull(facts) ? warn(kind, text, fix, counts) : ok(kind, text, counts);
}

function limitText({ messagesMax, bytesMax }: DeclaredFacts): string {
  const limits = [
    ...(messagesMax > 0 ? [`at most ${messagesMax} messages`] : []),
    ...(bytesMax > 0 ? [`at most ${bytesText(bytesMax)}`] : []),
  ];
  return limits.length === 0 ? 'no limit of its own' : limits.join(', ');
}

function isNearlyFull({ messages, bytes, messagesMax, bytesMax }: DeclaredFacts): boolean {
  return (
    (messagesMax > 0 && messages >= FULL_RATIO * messagesMax) ||
    (bytesMax > 0 && bytes >= FULL_RATIO * bytesMax)
  );
}

function storageFinding({ storageBytes, storageBytesMax }: JetStreamFacts): Finding {
  const limit = storageBytesMax < 0 ? 'no limit' : `limit ${bytesText(storageBytesMax)}`;
  const text = `${bytesText(storageBytes)} used by all streams of this account; ${limit}`;
  const facts = { storageBytes, storageBytesMax };
  const isFull = storageBytesMax > 0 && storageBytes >= FULL_RATIO * storageBytesMax;
  const fix =
    'raise the storage limit of the account or server (max_file_store), or process faster';
  return isFull ? warn('nats storage', text, fix, facts) : ok('nats storage', text, facts);
}

/** Only when it fails: the default of NATS is enough for the default of --frame-bytes-max. */
function messageFinding(options: Options, acceptedBytesMax: number): Finding[] {
  const neededBytes = messageBytesMax(options);
  if (neededBytes <= acceptedBytesMax) return [];
  return [
    failConfig(
      'nats message',
      `the server accepts messages of ${bytesText(acceptedBytesMax)}; frames need up to ${bytesText(neededBytes)}, headers included`,
      'lower --frame-bytes-max, and --body-bytes-max below it, or raise max_payload of the server',
      { messageBytesMax: acceptedBytesMax },
    ),
  ];
}

/** The data folder: the local journal, or with NATS the spool. */
export function folderFindings(options: Options, facts: FolderFacts, isInUse: boolean): Finding[] {
  const { data } = options;
  const about = 'data folder';
  if (facts.fault !== '') {
    return [fail(about, `${data}: ${facts.fault}`, facts.fix)];
  }
  // `isHeld` is a stable key of the JSON report.
  const known = { exists: facts.exists, isHeld: isInUse };
  const folder = isInUse
    ? warn(
        about,
        `${data}: in use by a running Forebay`,
        'stop that process before you start another, or choose another folder with --data',
        known,
      )
    : ok(about, `${data}: ${facts.exists ? 'exists' : 'would be created'}`, known);
  const journal = localFinding(options, facts.journal);
  return [
    folder,
    ...copyFindings(options, facts.journal),
    ...spoolFindings(options, facts),
    spaceFinding(facts),
    journal,
    ...drainFindings(options, facts.journal),
    ...damageFindings(options, facts),
  ];
}

function copyFindings({ acceptCopy }: Options, journal: LocalFacts | null): Finding[] {
  const fault = journal?.copyFault ?? null;
  if (fault === null) return [];
  const [about, facts] = ['copy', { isCopy: true, isCertain: fault.isCertain }];
  if (acceptCopy) {
    return [warn(about, `${fault.text}; accepted by --accept-copy`, COPY_FIX, facts)];
  }
  if (fault.isCertain) return [fail(about, fault.text, COPY_FIX, facts)];
  const fix = 'nothing, if it is no copy; else restore a backup that forebay backup made';
  return [warn(about, `${fault.text}; serve starts`, fix, facts)];
}

/** Only on a file system that can lose orders. Without NATS, the guarantee says so. */
function spoolFindings({ nats, data }: Options, { fileSystem }: FolderFacts): Finding[] {
  const risk = nats.length > 0 ? storageRisk(fileSystem) : null;
  if (risk === null) return [];
  return [warn('spool disk', `${data}: ${risk.what}`, risk.fix, { ...fileSystem })];
}

/** What operators have set about the drain of a local journal. With NATS, the stream keeps it. */
function drainFindings(options: Options, journal: LocalFacts | null): Finding[] {
  const kept = journal?.drain ?? null;
  if (kept === null || options.nats.length > 0 || isOfFormerSchedule(options, kept)) return [];
  const { fact, fix, isRefused } = keptText(options, kept);
  const facts = { rate: kept.rate, isPaused: kept.pause !== null, by: kept.by };
  if (isRefused) return [warn('drain', fact, fix, facts)];
  if (kept.pause !== null) return [warn('drain', fact, 'to go on: forebay drain --resume', facts)];
  return [ok('drain', fact, facts)];
}

/** Only when there is any: serve starts, and processes everything else. */
function damageFindings({ data }: Options, { journal, setAside }: FolderFacts): Finding[] {
  const { rows, records } = journal?.unreadable ?? { rows: 0, records: 0 };
  const parts = [
    ...(rows === 0 ? [] : [`${plural(rows, 'row')} of the journal cannot be read`]),
    ...(records === 0 ? [] : [`${plural(records, 'record')} of the frame log cannot be read`]),
    ...(setAside === 0 ? [] : [`${plural(setAside, 'file')} in ${join(data, 'damaged')}`]),
  ];
  if (parts.length === 0) return [];
  const later =
    records === 0 ? '' : 'the next start sets the records aside as files, and lists them; ';
  const fix = `${later}see forebay dlq unreadable --data ${data}, and check the disk; forebay dlq set-aside moves rows into files, which you may keep elsewhere or remove`;
  const text = `${parts.join(', ')}: these orders are not processed`;
  return [warn('damage', text, fix, { rows, records, files: setAside })];
}

function spaceFinding({ freeBytes, appendBytesMin, writeBytesMin }: FolderFacts): Finding {
  const about = 'disk space';
  const text = `${bytesText(freeBytes)} free; below ${bytesText(appendBytesMin)} orders are answered 503`;
  const facts = { freeBytes, appendBytesMin, writeBytesMin };
  const fix = 'free space on that file system, or choose a folder on another with --data';
  if (freeBytes < writeBytesMin) {
    const noStart = `below ${bytesText(writeBytesMin)} serve does not start`;
    return fail(about, `${text}, ${noStart}`, fix, facts);
  }
  if (freeBytes < appendBytesMin) return fail(about, text, fix, facts);
  if (freeBytes < 10 * appendBytesMin) return warn(about, text, fix, facts);
  return ok(about, text, facts);
}

function localFinding({ nats }: Options, journal: LocalFacts | null): Finding {
  const about = nats.length > 0 ? 'spool' : 'journal';
  if (journal === null) return ok(about, 'does not exist, would be created', { exists: false });
  const { bytes, waiting, deadLetters, isFromFuture, fault } = journal;
  const size = bytesText(bytes);
  if (waiting === null) {
    const fix =
      'none if this is a copy or a backup, or if a server uses it; otherwise start serve, which reads it';
    return warn(about, `${size}; not read: ${fault}`, fix, { bytes });
  }
  const { orders, isAtLeast, oldestAcceptedAtMs } = waiting;
  const age =
    oldestAcceptedAtMs === 0 ? '' : `, the oldest for ${ageText(Date.now() - oldestAcceptedAtMs)}`;
  const waits = `${isAtLeast ? 'at least ' : ''}${orders} orders wait${age}`;
  const dead = nats.length > 0 ? '' : `; ${deadLetters} dead letters`;
  const facts = { bytes, orders, isAtLeast, deadLetters, isFromFuture };
  const text = `${size}; ${waits}${dead}`;
  if (!isFromFuture) return ok(about, text, facts);
  return warn(
    about,
    `${text}; some orders have a time in the future: the clock was set back`,
    'check the clock of this machine; until it has caught up, receipts and idempotency keys expire late',
    facts,
  );
}
