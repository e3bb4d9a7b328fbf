import type { Durability } from '../../model/durability.js';
import { messageBytesMax } from '../../model/frame.js';
import type {
  DeclaredFacts,
  FolderFacts,
  JetStreamFacts,
  LocalFacts,
} from '../../model/journal-facts.js';
import type { Options } from '../../model/options.js';
import { ageText, bytesText, type Finding, fail, failAsGiven, ok, warn } from './finding.js';

/** Beyond it, a wave may well fill the rest. */
const FULL_RATIO = 0.9;

/** NATS, what the journal has there, and what would be made. */
export function natsFindings(options: Options, facts: JetStreamFacts): Finding[] {
  if (facts.fault !== '') return [awayFinding(options, facts)];
  const { shown, version, declared } = facts;
  return [
    ok('nats', `nats-server ${version} at ${shown} answers, with JetStream`, { version }),
    ...declared.map(declaredFinding),
    ...limitFindings(options, facts),
  ];
}

function awayFinding({ spoolOrdersMax }: Options, { fault }: JetStreamFacts): Finding {
  const then =
    spoolOrdersMax > 0
      ? 'serve would start, and put orders into the spool until it answers'
      : 'serve would wait, and answer 503 until it answers, since there is no spool';
  return fail(
    'nats',
    `${fault}: ${then}`,
    'start it with JetStream (nats-server -js), or see --nats: its host, port, user and password',
    { isAway: true },
  );
}

function declaredFinding(facts: DeclaredFacts): Finding {
  const { kind, name, role, exists, difference, messages, bytes, replicas, inHand } = facts;
  const what = `${name} (${role})`;
  const known = { name, role, exists };
  if (!exists) return ok(kind, `${what}: not there, would be made`, known);
  if (difference !== '') {
    return failAsGiven(
      kind,
      difference,
      'change it there, or name another stream with --nats-stream',
      known,
    );
  }
  if (kind === 'consumer') {
    return ok(kind, `${what}: as it must be; ${inHand} frames in hand`, { ...known, inHand });
  }
  const copies = `${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`;
  const text = `${what}: as it must be; ${messages} messages, ${bytesText(bytes)}, ${copies}; ${limitText(facts)}`;
  const counts = { ...known, messages, bytes, replicas };
  const mend =
    'raise its limits (nats stream edit), or have more processed: what is full answers 503';
  return isNearlyFull(facts) ? warn(kind, text, mend, counts) : ok(kind, text, counts);
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

function limitFindings(options: Options, facts: JetStreamFacts): Finding[] {
  const { storageBytes, storageBytesMax } = facts;
  const room = storageBytesMax < 0 ? 'no limit' : `of ${bytesText(storageBytesMax)}`;
  const text = `${bytesText(storageBytes)} used by all streams of this account, ${room}`;
  const known = { storageBytes, storageBytesMax };
  const isFull = storageBytesMax > 0 && storageBytes >= FULL_RATIO * storageBytesMax;
  const mend = 'give the account or the server more (max_file_store), or have more processed';
  return [
    isFull ? warn('nats storage', text, mend, known) : ok('nats storage', text, known),
    ...messageFinding(options, facts.messageBytesMax),
  ];
}

/** Only where it is too little: by default it is enough for every --frame-bytes-max. */
function messageFinding(options: Options, takenBytesMax: number): Finding[] {
  const neededBytes = messageBytesMax(options);
  if (neededBytes <= takenBytesMax) return [];
  return [
    fail(
      'nats message',
      `the server takes messages of ${bytesText(takenBytesMax)}; frames have up to ${bytesText(neededBytes)}, headers included`,
      'lower --frame-bytes-max, or raise max_payload of the server',
      { messageBytesMax: takenBytesMax },
    ),
  ];
}

const ANOTHER = 'name a folder with --data that this user can write';

/** The folder of the local journal, which with NATS holds the spool and what this process remembers. */
export function folderFindings(options: Options, facts: FolderFacts, isHeld: boolean): Finding[] {
  const { data } = options;
  const about = 'data folder';
  if (facts.fault !== '') return [fail(about, `${data}: ${facts.fault}`, ANOTHER)];
  const state = facts.exists ? 'is there' : 'would be made';
  const held = isHeld
    ? warn(
        about,
        `${data}: a Forebay that runs has it`,
        'serve starts once that one has stopped; to run both, name another with --data',
        { exists: facts.exists, isHeld },
      )
    : ok(about, `${data}: ${state}`, { exists: facts.exists, isHeld });
  return [held, spaceFinding(facts), journalFinding(options, facts.journal)];
}

function spaceFinding({ freeBytes, appendBytesMin, writeBytesMin }: FolderFacts): Finding {
  const about = 'disk space';
  const floor = bytesText(appendBytesMin);
  const text = `${bytesText(freeBytes)} free; below ${floor} orders are answered 503`;
  const facts = { freeBytes, appendBytesMin, writeBytesMin };
  const mend = 'make room on that file system, or name a folder on another with --data';
  if (freeBytes < writeBytesMin) {
    return fail(about, `${text}, below ${bytesText(writeBytesMin)} no start`, mend, facts);
  }
  if (freeBytes < appendBytesMin) return fail(about, text, mend, facts);
  // As much again as it takes to fall from the first floor to the second, ten times over.
  if (freeBytes < 10 * appendBytesMin) return warn(about, text, mend, facts);
  return ok(about, text, facts);
}

function journalFinding({ nats }: Options, journal: LocalFacts | null): Finding {
  const about = nats.length > 0 ? 'spool' : 'journal';
  if (journal === null) return ok(about, 'none yet: it would be made', { exists: false });
  const { bytes, waiting, deadLetters, isFromFuture, fault } = journal;
  const size = bytesText(bytes);
  if (waiting === null) {
    return warn(about, `${size}; not read: ${fault}`, 'nothing, if you know why', { bytes });
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
    `${text}; it holds orders from the future: the clock was set back`,
    'see to the clock of this machine; receipts and idempotency keys are forgotten late until it has caught up',
    facts,
  );
}

/** What a 200 would mean. */
export function guaranteeFinding({ class: name, replicas, text, remedy }: Durability): Finding {
  const facts = { class: name, replicas };
  const line = `${name}: ${text}`;
  return remedy === '' ? ok('guarantee', line, facts) : warn('guarantee', line, remedy, facts);
}
