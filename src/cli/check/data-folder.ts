import type { FolderFacts, LocalFacts } from '../../model/journal-facts.js';
import type { Options } from '../../model/options.js';
import { ageText, bytesText } from './amounts.js';
import { type Finding, fail, ok, warn } from './finding.js';

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
