/** What is not as it was written in the log: kept in a file each, and reported. */
import type { Log } from '../../model/log.js';
import { setAside } from '../store/set-aside.js';
import type { FoundRecords, Hole } from './segment-content.js';
import type { Segment } from './segment-files.js';

/** A name of a stranger can be as long as a file name may be; a set-aside file has a longer one. */
const ID_CHARS_MAX = 64;

/**
 * Before the position in the tables passes it: a crash in between repeats this, with the same file.
 * @throws Error the disk takes no files
 */
export function setHolesAside(
  dataFolder: string,
  { id }: Segment,
  { holes, end }: Pick<FoundRecords, 'holes' | 'end'>,
): void {
  for (const hole of holes) {
    const { verdict, position, bytes, reason } = hole;
    if (verdict === 'torn') continue;
    const use = end === null ? '' : `${end.generation.toString('hex')}-`;
    const from = `segment ${id}, position ${position}`;
    const facts = { what: 'log record', from, name: frameIdIn(hole), reason };
    const kind = verdict === 'damaged' ? verdict : 'torn';
    setAside(dataFolder, `${id.slice(0, ID_CHARS_MAX)}-${use}${position}`, kind, facts, bytes);
  }
}

export function reportHole(log: Log, { id }: Segment, hole: Hole): void {
  const { verdict, position, bytes, reason } = hole;
  const where = `segment ${id}, position ${position}, ${bytes.length} bytes: ${reason}`;
  if (verdict === 'damaged') {
    const text = `a record of the frame log is damaged and was set aside: ${where}; see forebay dlq unreadable`;
    log('log-damaged', text);
  } else if (verdict === 'unknown') {
    log('log-torn', `a record of the frame log is incomplete and was set aside: ${where}`);
  } else log('log-torn', `a record of the frame log is incomplete: ${where}`);
}

/** What a frame id looks like: see model/frame.ts. */
const FRAME_ID = /[0-9A-HJKMNP-TV-Z]{26}/;
/** The id is in the key, and in the header. */
const ID_WITHIN_BYTES = 256;

/** The first frame id in the bytes; empty when there is none. */
function frameIdIn({ bytes }: Hole): string {
  return FRAME_ID.exec(bytes.toString('latin1', 0, ID_WITHIN_BYTES))?.[0] ?? '';
}
