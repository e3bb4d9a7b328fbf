import { messageBytesMax } from '../../model/frame.js';
import type { DeclaredFacts, JetStreamFacts } from '../../model/journal-facts.js';
import type { Options } from '../../model/options.js';
import { bytesText } from './amounts.js';
import { type Finding, fail, failAsGiven, ok, warn } from './finding.js';

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
