import { freshFacts, type KeyFacts } from '../store/frame-rows.js';
import type { FoundRecords, Hole, LogPosition } from './segment-content.js';
import type { Segment } from './segment-files.js';
import type { SegmentReader } from './segment-reader.js';

/** A frame of the log that is not settled. */
export interface LoggedFrame extends KeyFacts {
  readonly segment: LiveSegment;
  /** Of its record. */
  readonly position: number;
  readonly bytes: number;
  readonly isKeyed: boolean;
  /** Kept in memory for the drain; null when it has to be read. */
  value: Buffer | null;
  state: 'waiting' | 'claimed' | 'moving' | 'gone';
}

/** An appender notices sooner that its segment was deleted, and does not write to it any more. */
const DELETED_MS = 1000;

/** The frames up to a position of a segment. */
export interface SegmentStep {
  readonly live: LiveSegment;
  /** Those that wait. */
  readonly frames: readonly LoggedFrame[];
  readonly end: LogPosition;
}

/** A segment whose records count: some of its frames are not settled, or the tables do not know yet that all are. */
export class LiveSegment {
  readonly reader: SegmentReader;
  /** Its name changes while it is used. */
  segment: Segment;
  /** Nothing is written to it any more, and all of it was read. */
  isRead = false;
  readTickMs = 0;
  /** It is not used again. */
  isDamaged = false;
  /** Something up to here is better out of the log. */
  leaveUpTo = 0;
  /** When the first frame that counts was read; 0 when none counts. */
  sinceTickMs = 0;
  /** The smallest id of a frame that counts, settled or not; empty when none counts. */
  idMin = '';
  #kept: LogPosition | null;
  #end: LogPosition | null;
  /** By position; some are gone. */
  #frames: LoggedFrame[] = [];
  #waiting = 0;
  #waitingBytes = 0;
  #deletedTickMs: number | null = null;

  /** @param from the position in the tables; null when there is none */
  constructor(segment: Segment, reader: SegmentReader, from: LogPosition | null) {
    this.segment = segment;
    this.reader = reader;
    this.#kept = from;
    this.#end = from;
  }

  /** Frames that are not settled. */
  get waiting(): number {
    return this.#waiting;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Behind what was read; null when nothing was. */
  get end(): LogPosition | null {
    return this.#end;
  }

  /** Whether the tables know that nothing in it counts. */
  get isKept(): boolean {
    const [end, kept] = [this.#end, this.#kept];
    if (end === null || end === kept || end.position === 0) return true;
    return (
      kept !== null && kept.position === end.position && kept.generation.equals(end.generation)
    );
  }

  get keptPosition(): number {
    const [end, kept] = [this.#end, this.#kept];
    return end !== null && kept?.generation.equals(end.generation) ? kept.position : 0;
  }

  read(bytesMax: number): FoundRecords {
    return this.reader.read(bytesMax, this.segment.state === 'open');
  }

  /** Its file was deleted, and is only there because it is open. */
  deleted(): void {
    this.isDamaged = true;
    const nowTickMs = performance.now();
    this.#deletedTickMs ??= nowTickMs;
    if (nowTickMs - this.#deletedTickMs < DELETED_MS) return;
    this.segment = { ...this.segment, state: 'broken' };
  }

  /** Everything up to `found.end` was taken in. */
  advance({ end, isAll, holes }: Pick<FoundRecords, 'end' | 'isAll' | 'holes'>): void {
    if (end !== null) {
      this.reader.advance(end);
      this.#end = end;
      if (holes.length > 0) this.leaveUpTo = end.position;
    }
    for (const { verdict } of holes) if (verdict === 'damaged') this.isDamaged = true;
    if (!isAll || this.segment.state === 'open') return;
    this.isRead = true;
    this.readTickMs = performance.now();
    this.reader.forget();
  }

  /** A record that counts, settled or not. */
  note(id: string): void {
    if (this.sinceTickMs === 0) this.sinceTickMs = performance.now();
    if (this.idMin === '' || id < this.idMin) this.idMin = id;
  }

  add(frame: LoggedFrame): void {
    this.#frames.push(frame);
    this.#waiting++;
    this.#waitingBytes += frame.bytes;
  }

  remove(frame: LoggedFrame): void {
    frame.state = 'gone';
    frame.value = null;
    this.#waiting--;
    this.#waitingBytes -= frame.bytes;
    if (this.#waiting === 0) this.#frames = [];
  }

  /**
   * What may leave the log next: the frames up to the first claimed one, of `bytesMax` bytes but at least one. Null when
   * there is nothing.
   */
  step(bytesMax: number): SegmentStep | null {
    if (this.#end === null || this.isKept) return null;
    const frames: LoggedFrame[] = [];
    let end = this.#end;
    let bytes = 0;
    for (const frame of this.#frames) {
      if (frame.state === 'gone') continue;
      if (frame.state === 'claimed' || bytes >= bytesMax) {
        end = { generation: end.generation, position: frame.position };
        break;
      }
      frames.push(frame);
      bytes += frame.bytes;
    }
    return end.position > this.keptPosition ? { live: this, frames, end } : null;
  }

  /** The tables say that nothing before `end` counts. */
  keep(end: LogPosition): void {
    this.#kept = end;
    this.#frames = this.#frames.filter(({ state }) => state !== 'gone');
    if (!this.isKept) return;
    this.idMin = '';
    this.sinceTickMs = 0;
  }
}

/** The frame of a record, which need not be kept. */
export function loggedFrame(
  live: LiveSegment,
  record: FoundRecords['records'][number],
): LoggedFrame {
  const { key, position, bytes, isKeyed } = record;
  return {
    ...freshFacts(key),
    segment: live,
    position,
    bytes,
    isKeyed,
    value: null,
    state: 'waiting',
  };
}

/** A record that was in order once, and is not any more. */
export function lostRecord(frame: LoggedFrame, bytes: Buffer): Hole {
  const reason = 'it is damaged: it was read once';
  return { position: frame.position, bytes, verdict: 'damaged', reason };
}
