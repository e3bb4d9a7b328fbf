/**
 * The file `hand` in the data folder: which orders the handler has in hand, and which it has done in frames that are not
 * settled yet. A pool thread writes down the orders of a call before it begins, and marks them when it has ended. Nothing
 * is flushed: what a process has written survives its death in the page cache. After a crash, the next process finds
 * here what may have caused it, and what need not be done again.
 *
 * The file begins with a page: magic, bytes per slot, and a flag that is set when the process was told to stop. Each slot
 * holds one call. Its head, little endian: bytes of text (4; 0 for none), CRC-32 of the text (4), number of the call (4),
 * and the same number again (4) when its orders are done. So a thread that is being ended, while its slot has a new
 * call, cannot mark that one. A line of the text is `<frame> <crashes> <first position>+<count>`.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { LeftOrders } from '../model/left-orders.js';
import { type BatchSegment, OUTCOME_DONE } from '../model/pool-messages.js';

export const HAND_FILE = 'hand';
const MAGIC = 0x31484246;
const PAGE_BYTES = 4096;
const STOPPING_AT = 8;
const HEAD_BYTES = 16;
const CALL_AT = 8;
const DONE_AT = 12;
/** About the longest line of one order. */
const ORDER_BYTES = 100;
/** Larger slots are not read: this code did not write them. */
const SLOT_BYTES_MAX = 64 * 1024 ** 2;
/** Calls that have ended and whose frames are not all settled. Of more, the oldest are forgotten. */
const ENDED_MAX = 1024;
/** Fewer with large slots: the file is sparse, but a copy of it need not be. */
const FILE_BYTES_MAX = 64 * 1024 ** 2;

/**
 * The process was told to stop: if it is killed before its calls end, that is no fault of their orders. Called in the
 * main thread, because the drain thread can be busy.
 */
export function noteStopping(folder: string): void {
  try {
    const fd = openSync(join(folder, HAND_FILE), 'r+');
    writeSync(fd, Buffer.from([1]), 0, 1, STOPPING_AT);
    closeSync(fd);
  } catch {
    // Counts as a crash.
  }
}

/** What a pool thread needs to write its calls down. */
export interface HandPlace {
  readonly fd: number;
  readonly slotBytes: number;
}

/** A call and its slot, which is kept until the frames of the call are settled. */
export class HandCall {
  readonly slot: number;
  #unsettled: number;
  readonly #free: (call: HandCall) => void;

  constructor(slot: number, frames: number, free: (call: HandCall) => void) {
    this.slot = slot;
    this.#unsettled = frames;
    this.#free = free;
  }

  frameSettled(): void {
    if (--this.#unsettled === 0) this.#free(this);
  }
}

/** The drain thread's side. Every write can fail, on a full disk for example; then nothing is left behind. */
export class HandFile implements HandPlace {
  readonly fd: number;
  readonly slotBytes: number;
  readonly #free: number[];
  /** Oldest first. */
  readonly #ended = new Set<HandCall>();
  #hasBegun = false;

  private constructor(fd: number, calls: number, slotBytes: number) {
    this.fd = fd;
    this.slotBytes = slotBytes;
    const slots = calls + Math.min(ENDED_MAX, Math.ceil(FILE_BYTES_MAX / slotBytes));
    this.#free = Array.from({ length: slots }, (_, i) => slots - 1 - i);
  }

  /**
   * Opens the file of a data folder, which this process must own. What the last process left is still in it.
   * @param calls that can be in the pool at a time
   * @throws Error the file cannot be opened
   */
  static open(folder: string, calls: number, ordersMax: number): HandFile {
    const path = join(folder, HAND_FILE);
    // To open a pipe waits for its other end.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
      throw new Error(`${path} is not a file`);
    }
    // Created if it is missing, and not truncated.
    closeSync(openSync(path, 'a'));
    const pages = Math.ceil((HEAD_BYTES + ordersMax * ORDER_BYTES) / PAGE_BYTES);
    return new HandFile(openSync(path, 'r+'), calls, pages * PAGE_BYTES);
  }

  /** What the last process left. It did not crash if it was told to stop before: then nothing was in hand. */
  left(): LeftOrders[] {
    const head = this.#read(0, PAGE_BYTES);
    const slotBytes = head.length < PAGE_BYTES ? 0 : head.readUInt32LE(4);
    // A damaged size must not make millions of slots.
    const isSize = slotBytes > 0 && slotBytes <= SLOT_BYTES_MAX && slotBytes % PAGE_BYTES === 0;
    if (!isSize || head.readUInt32LE(0) !== MAGIC) return [];
    const found: LeftOrders[] = [];
    const end = fstatSync(this.fd).size;
    for (let at = PAGE_BYTES; at < end; at += slotBytes) found.push(...this.#leftAt(at, slotBytes));
    const inHand = found.filter(({ crashes }) => crashes > 0);
    if (head.readUInt32LE(STOPPING_AT) !== 0) return found.filter(({ crashes }) => crashes === 0);
    const isAlone = inHand.length === 1 && inHand[0]!.count === 1;
    return found.map((orders) => ({ ...orders, isAlone: isAlone && orders.crashes > 0 }));
  }

  /** Forgets what the last process left, and is ready for the calls of this one. */
  begin(): void {
    this.#hasBegun = true;
    const head = Buffer.alloc(PAGE_BYTES);
    head.writeUInt32LE(MAGIC, 0);
    head.writeUInt32LE(this.slotBytes, 4);
    try {
      ftruncateSync(this.fd, 0);
      writeSync(this.fd, head, 0, PAGE_BYTES, 0);
    } catch {
      // As if the file were missing.
    }
  }

  /** @param frames of which the call has orders */
  take(frames: number): HandCall {
    let slot = this.#free.pop();
    if (slot === undefined) {
      const [oldest] = this.#ended;
      this.#ended.delete(oldest!);
      slot = oldest!.slot;
    }
    return new HandCall(slot, frames, this.#onSettled);
  }

  /** The thread of the call has marked what is done. */
  ended(call: HandCall): void {
    this.#ended.add(call);
  }

  /** The call has no outcomes, and its thread may have died. */
  drop(call: HandCall): void {
    write(this.fd, EMPTY, slotAt(call.slot, this.slotBytes));
    this.#free.push(call.slot);
  }

  close(): void {
    // After an ordered stop, every frame is settled, and the file tells nothing. It does if this process never began.
    if (this.#hasBegun && this.#ended.size === 0) this.begin();
    closeSync(this.fd);
  }

  readonly #onSettled = (call: HandCall): void => {
    // Its slot may be in use for another call by now. It is not cleared: nobody delivers a settled frame.
    if (this.#ended.delete(call)) this.#free.push(call.slot);
  };

  #leftAt(at: number, slotBytes: number): LeftOrders[] {
    const head = this.#read(at, HEAD_BYTES);
    const length = head.length < HEAD_BYTES ? 0 : head.readUInt32LE(0);
    if (length === 0 || length > slotBytes - HEAD_BYTES) return [];
    const text = this.#read(at + HEAD_BYTES, length);
    // A call whose text is not complete has not begun.
    if (text.length < length || crc32(text) !== head.readUInt32LE(4)) return [];
    const lines = text.toString('latin1').split('\n');
    const isDone = head.readUInt32LE(DONE_AT) === head.readUInt32LE(CALL_AT);
    return lines.flatMap((line) => leftIn(line, isDone));
  }

  #read(at: number, bytes: number): Buffer {
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, readSync(this.fd, buffer, 0, bytes, at));
  }
}

/** The call that a slot is for. Its number is not 0. */
interface SlottedCall {
  readonly slot: number;
  readonly call: number;
  readonly segments: readonly BatchSegment[];
}

/** The text of a slot has no bytes. */
const EMPTY = Buffer.alloc(4);

/** A pool thread's side. */
export class HandSlots {
  readonly #place: HandPlace;
  readonly #done = Buffer.alloc(4);

  constructor(place: HandPlace) {
    this.#place = place;
  }

  /** The orders of a call are in hand. Takes a few microseconds. */
  begin({ slot, call, segments }: SlottedCall): void {
    this.#write(slot, segments.map(lineOf).join('\n'), call, 0);
  }

  /** @param outcomes null if all orders are done */
  end({ slot, call, segments }: SlottedCall, outcomes: Uint8Array | null): void {
    if (outcomes !== null) {
      this.#write(slot, doneLines(segments, outcomes).join('\n'), call, call);
      return;
    }
    const { fd, slotBytes } = this.#place;
    this.#done.writeUInt32LE(call);
    write(fd, this.#done, slotAt(slot, slotBytes) + DONE_AT);
  }

  #write(slot: number, text: string, call: number, doneCall: number): void {
    const { fd, slotBytes } = this.#place;
    const at = slotAt(slot, slotBytes);
    if (HEAD_BYTES + text.length > slotBytes) {
      write(fd, EMPTY, at);
      return;
    }
    const bytes = Buffer.allocUnsafe(HEAD_BYTES + text.length);
    bytes.writeUInt32LE(text.length, 0);
    bytes.writeUInt32LE(call, CALL_AT);
    bytes.writeUInt32LE(doneCall, DONE_AT);
    bytes.write(text, HEAD_BYTES, 'latin1');
    bytes.writeUInt32LE(crc32(bytes.subarray(HEAD_BYTES)), 4);
    write(fd, bytes, at);
  }
}

function slotAt(slot: number, slotBytes: number): number {
  return PAGE_BYTES + slot * slotBytes;
}

function write(fd: number, bytes: Buffer, at: number): void {
  try {
    writeSync(fd, bytes, 0, bytes.length, at);
  } catch {
    // The disk is full, for example: this call leaves nothing behind.
  }
}

function lineOf({ frameId, origin, crashes, position, count }: BatchSegment): string {
  return `${frameId ?? origin} ${crashes} ${position}+${count}`;
}

function doneLines(segments: readonly BatchSegment[], outcomes: Uint8Array): string[] {
  const lines: string[] = [];
  let offset = 0;
  for (const segment of segments) {
    let first = 0;
    for (let i = 0; i <= segment.count; i++) {
      if (i < segment.count && outcomes[offset + i] === OUTCOME_DONE) continue;
      const position = segment.position + first;
      if (i > first) lines.push(lineOf({ ...segment, position, count: i - first }));
      first = i + 1;
    }
    offset += segment.count;
  }
  return lines;
}

function leftIn(line: string, isDone: boolean): LeftOrders[] {
  const found = /^([\w-]{1,64}) (\d{1,9}) (\d{1,9})\+(\d{1,9})$/.exec(line);
  if (found === null) return [];
  const [, frameId, before, first, count] = found;
  const crashes = isDone ? 0 : Number(before) + 1;
  return [
    { frameId: frameId!, first: Number(first), count: Number(count), crashes, isAlone: false },
  ];
}
