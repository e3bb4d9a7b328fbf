import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import type { DrainSetting } from '../../model/drain-control.js';
import type { FileSystem } from '../../model/durability.js';
import { frameTime } from '../../model/frame.js';
import type { FolderFacts, LocalFacts } from '../../model/journal-facts.js';
import { type Generation, isLater } from '../frame/generation.js';
import { refuseIncomplete, requireAddressSpace } from '../store/data-folder.js';
import { APPEND_FLOOR, WRITE_FLOOR } from '../store/disk-space.js';
import { drainSettingIn } from '../store/drain-row.js';
import { FreeSpace, fileSystemOf } from '../store/file-system.js';
import { FolderFault } from '../store/folder-fault.js';
import { freshFacts, type KeyFacts, laterFacts, oldestAgeMs } from '../store/frame-rows.js';
import { hasJournal, journalFile, MAP_BYTES, TABLES, type Table } from '../store/local-store.js';
import { copyFault } from '../store/open-mark.js';
import { setAsideNames } from '../store/set-aside.js';
import { requireSoundFile } from '../store/sound-file.js';
import { CHECKED_TABLES, type CheckedTable, unreadableRow } from '../store/unreadable-rows.js';
import { requireUsableFolders } from '../store/usable-files.js';
import { isInTables } from './known-frames.js';
import { type FoundRecords, type Hole, type LogPosition, NOTHING } from './segment-content.js';
import { logFolder, presentSegments, SEGMENT_BYTES, type Segment } from './segment-files.js';
import { readPosition } from './segment-positions.js';
import { SegmentReader } from './segment-reader.js';

/** Counted one by one, at about a microsecond each. */
const FRAMES_COUNTED_MAX = 200_000;
/** How far the clocks of machines that write to one disk in turn may differ. */
const AHEAD_MS_MAX = 2000;

/**
 * Looks at a data folder, which may not exist, and at the journal in it, which a server may be using.
 * @param blocked why the journal cannot be opened; empty when it can
 */
export async function inspectFolder(folder: string, blocked: string): Promise<FolderFacts> {
  const exists = existsSync(folder);
  // A missing folder would be created in its nearest existing ancestor.
  const nearest = exists ? folder : nearestAbove(resolve(folder));
  const facts = {
    exists,
    appendBytesMin: APPEND_FLOOR.freeBytes,
    writeBytesMin: WRITE_FLOOR.freeBytes,
    mapBytes: MAP_BYTES,
  };
  try {
    if (exists) requireUsableFolders(folder);
    else if (!statSync(nearest).isDirectory()) throw new Error(`${nearest} is not a folder`);
    else accessSync(nearest, constants.R_OK | constants.W_OK | constants.X_OK);
    refuseIncomplete(folder);
    const space = new FreeSpace(nearest);
    const journal = hasJournal(folder) ? await inspectJournal(folder, blocked) : null;
    const setAside = setAsideNames(folder, 'damaged').length;
    const fileSystem = fileSystemOf(nearest);
    return {
      ...facts,
      fileSystem,
      setAside,
      fault: '',
      fix: '',
      freeBytes: space.bytes(),
      journal,
    };
  } catch (error) {
    const fix = error instanceof FolderFault ? error.fix : 'choose a writable folder with --data';
    const fault = (error as Error).message;
    const fileSystem: FileSystem = { name: 'unknown', kind: 'disk' };
    return { ...facts, fileSystem, fault, fix, freeBytes: 0, setAside: 0, journal: null };
  }
}

function nearestAbove(folder: string): string {
  const parent = dirname(folder);
  return parent === folder || existsSync(parent) ? parent : nearestAbove(parent);
}

/** @throws FolderFault serve would not open it */
async function inspectJournal(folder: string, blocked: string): Promise<LocalFacts> {
  const path = join(folder, journalFile);
  requireSoundFile(path, MAP_BYTES);
  const bytes = statSync(path).size;
  const unread: Omit<LocalFacts, 'fault'> = {
    bytes,
    waiting: null,
    deadLetters: 0,
    isFromFuture: false,
    copyFault: null,
    drain: null,
    unreadable: { rows: 0, records: 0 },
  };
  if (blocked !== '') return { ...unread, fault: blocked };
  const known = { ...unread, copyFault: copyFault(folder) };
  // LMDB would create the lock file, and deleting it again could take it from a server that starts at that moment.
  if (!existsSync(`${path}-lock`)) {
    return {
      ...known,
      fault: 'its lock file is missing, as in a copy: its content is only known after a start',
    };
  }
  try {
    requireAddressSpace(path, MAP_BYTES);
    const root = open<Buffer, Buffer>({
      path,
      readOnly: true,
      overlappingSync: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      maxDbs: TABLES.length,
      mapSize: MAP_BYTES,
    });
    try {
      return { ...known, ...read(root, folder), fault: '' };
    } finally {
      await root.close();
    }
  } catch (error) {
    return { ...known, fault: (error as Error).message.split('\n')[0]! };
  }
}

function read(root: RootDatabase<Buffer, Buffer>, folder: string) {
  const [frames, later, ages, dead, settled, meta, forwarded, unreadable] = (
    ['frames', 'later', 'ages', 'dead', 'settled', 'meta', 'forwarded', 'unreadable'] as const
  ).map((name) => tableOf(root, name));
  const checked = CHECKED_TABLES.map((name) => ({ name, table: tableOf(root, name) }));
  const known = { settled, forwarded, frames, unreadable };
  // All below is of one moment, after the log was read. To open a table would begin another.
  const logged = waitingInLog(folder, {
    meta: meta ?? null,
    isKnown: (key) => isInTables(known, key),
    refresh: () => root.resetReadTxn(),
  });
  const fresh = count(frames, freshFacts);
  const retries = count(later, laterFacts);
  const [firstFresh] = frames?.getKeys({ limit: 1 }) ?? [];
  const oldestAgedMs = later && ages ? oldestAgeMs({ later, ages }) : null;
  const oldest = [
    ...logged.frames.map(({ acceptedAtMs }) => acceptedAtMs),
    ...(firstFresh === undefined ? [] : [freshFacts(firstFresh).acceptedAtMs]),
    ...(oldestAgedMs === null ? [] : [oldestAgedMs]),
  ];
  const ahead = Buffer.from(frameTime(Date.now() + AHEAD_MS_MAX), 'latin1');
  return {
    waiting: {
      orders: logged.frames.reduce((sum, { count }) => sum + count, fresh.orders + retries.orders),
      isAtLeast: fresh.isAtLeast || retries.isAtLeast,
      oldestAcceptedAtMs: oldest.length === 0 ? 0 : Math.min(...oldest),
    },
    deadLetters: rows(dead),
    drain: keptDrain(meta ?? null),
    unreadable: {
      rows: rows(unreadable ?? null) + unreadableIn(checked),
      records: logged.damaged,
    },
    isFromFuture: [frames, settled].some((table) => hasRowFrom(table, ahead)),
  };
}

/** Null too if it is damaged: then serve takes it for missing. */
function keptDrain(meta: Table | null): DrainSetting | null {
  try {
    return meta === null ? null : drainSettingIn(meta);
  } catch {
    return null;
  }
}

/** Null when the table does not exist: after an older version, or an interrupted start. */
function tableOf(root: RootDatabase<Buffer, Buffer>, name: (typeof TABLES)[number]): Table | null {
  try {
    return root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' }) ?? null;
  } catch {
    return null;
  }
}

function count(table: Table | null, facts: (key: Buffer) => { readonly count: number }) {
  let orders = 0;
  for (const key of table?.getKeys({ limit: FRAMES_COUNTED_MAX }) ?? []) orders += facts(key).count;
  return { orders, isAtLeast: rows(table) > FRAMES_COUNTED_MAX };
}

/** What is checked of each table: more would take seconds. */
const BYTES_CHECKED_MAX = 256 * 1024 ** 2;

/** Rows that are not as they were written, among the first. */
function unreadableIn(
  checked: readonly { readonly name: CheckedTable; readonly table: Table | null }[],
): number {
  let found = 0;
  for (const { name, table } of checked) {
    let bytes = 0;
    for (const { key, value } of table?.getRange({ limit: FRAMES_COUNTED_MAX }) ?? []) {
      if (unreadableRow(name, Buffer.from(key), value) !== null) found++;
      bytes += value.length;
      if (bytes > BYTES_CHECKED_MAX) break;
    }
  }
  return found;
}

function rows(table: Table | null): number {
  return table === null ? 0 : (table.getStats() as { entryCount: number }).entryCount;
}

function hasRowFrom(table: Table | null, start: Buffer): boolean {
  const [found] = table?.getKeys({ start, limit: 1 }) ?? [];
  return found !== undefined;
}

/** What waits in the logs of a data folder. */
interface LoggedFacts {
  readonly frames: readonly KeyFacts[];
  /** Records that were damaged. */
  readonly damaged: number;
}

/** Where the tables are read again. */
interface TablesBesideLog {
  /** Null when there is none. */
  readonly meta: Table | null;
  /** Whether the tables say that the frame with this key is settled, or have it. */
  readonly isKnown: (key: Buffer) => boolean;
  /** Makes the next read of both see what a server has written. */
  readonly refresh: () => void;
}

/**
 * Changes nothing. A server may move frames out of the log, or settle them, at the same time. So the log is read first, and the
 * tables after that: they say what became of each frame that was found, and the caller counts the others in them.
 */
export function waitingInLog(
  dataFolder: string,
  { meta, isKnown, refresh }: TablesBesideLog,
): LoggedFacts {
  const folder = logFolder(dataFolder);
  const looks = presentSegments(folder).map((segment) => {
    const look = () => lookInto(folder, segment, positionOf(meta, segment.id));
    const { records, holes, end } = look();
    const generation = end?.generation ?? null;
    // Copied: a view of its key would keep the whole segment in memory.
    const found = records.map(({ key, end }) => ({ key: Buffer.from(key), end }));
    const damaged = holes.length === 0 ? 0 : damagedIn(holes, look().holes);
    return { id: segment.id, generation, found, damaged };
  });
  refresh();
  const frames = looks.flatMap(({ id, generation, found }) => {
    const leftUpTo = endOfLeft(positionOf(meta, id), generation);
    return found.filter(({ key, end }) => end > leftUpTo && !isKnown(key));
  });
  return {
    frames: frames.map(({ key }) => freshFacts(key)),
    damaged: looks.reduce((sum, { damaged }) => sum + damaged, 0),
  };
}

/** Up to which position nothing counts in this use of a segment. */
function endOfLeft(position: LogPosition | null, generation: Generation | null): number {
  if (position === null || generation === null) return 0;
  if (position.generation.equals(generation)) return position.position;
  return isLater(position.generation, generation) === true ? SEGMENT_BYTES : 0;
}

/** A server may have been writing during one look: then what was incomplete is complete in the other. */
function damagedIn(...looks: readonly (readonly Hole[])[]): number {
  const [first, again] = looks.map((holes) =>
    holes.filter(({ verdict }) => verdict === 'damaged').map(({ position }) => position),
  );
  return first!.filter((position) => again!.includes(position)).length;
}

function lookInto(folder: string, segment: Segment, from: LogPosition | null): FoundRecords {
  const reader = openReader(folder, segment, from);
  if (reader === null) return NOTHING;
  try {
    // One that is not complete yet has no frames.
    const isNew = segment.state === 'new' && !reader.isFullSize;
    return isNew ? NOTHING : reader.read(SEGMENT_BYTES, false);
  } finally {
    reader.close();
  }
}

function positionOf(meta: Table | null, id: string): LogPosition | null {
  try {
    return meta === null ? null : readPosition(meta, id);
  } catch {
    // Damaged: then all of its frames count that are not known.
    return null;
  }
}

/** Null when the segment was deleted since it was listed: nothing in it counted. */
function openReader(
  folder: string,
  segment: Segment,
  from: LogPosition | null,
): SegmentReader | null {
  try {
    return new SegmentReader(folder, segment, from);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const renamed = presentSegments(folder).find(({ id }) => id === segment.id);
    // Under the same name it is a link that leads nowhere.
    if (renamed === undefined || renamed.state === segment.state) return null;
    return openReader(folder, renamed, from);
  }
}
