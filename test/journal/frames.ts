import { FrameIds } from '../../src/commit/frame-id.js';
import type { ClaimedFrame } from '../../src/journal/ledger/entry.js';
import type { Frame } from '../../src/model/frame.js';
import type { Appender, Delivery, Source } from '../../src/model/journal.js';
import { HANG_MS_MAX } from '../support/deadline.js';

const ids = new FrameIds();

export function newFrameId(): string {
  return ids.next(Date.now());
}

/** Frames to claim, delivered by unknown messages. */
export function at(...frameIds: readonly string[]): ClaimedFrame[] {
  return frameIds.map((id) => ({ id, seq: 0, begun: 0 }));
}

export function fresh(count: number, id = newFrameId()): Frame {
  const lines = Array.from(
    { length: count },
    (_, i) => `{"product_id":"${i % 100}","count":"3","username":"${id}-${i} ünï"}\n`,
  );
  return {
    id,
    count,
    payload: Buffer.from(lines.join('')),
    acceptedAtMs: Date.now(),
    attempt: 1,
    notBeforeMs: 0,
    refiled: null,
    schema: '0123456789abcdef',
    keys: [],
  };
}

/** The order at a position of a frame, without its line end. */
export function line(frame: Frame, position: number): string {
  return Buffer.from(frame.payload).toString('utf8').split('\n')[position]!;
}

/** A frame as plain values for comparing; ignores the class of the payload (Buffer or not). */
export function plain(frame: Frame) {
  return { ...frame, payload: Buffer.from(frame.payload).toString('utf8') };
}

export const NOTHING = { refile: [], dead: [] } as const;

/** Pulls until `frames` have arrived or `msMax` have passed, never more at a time than `framesMax`. */
export async function take(
  source: Source,
  frames: number,
  framesMax = frames,
  msMax = HANG_MS_MAX,
): Promise<Delivery[]> {
  const signal = AbortSignal.timeout(msMax);
  const taken: Delivery[] = [];
  while (taken.length < frames && !signal.aborted) {
    taken.push(...(await source.pull(Math.min(framesMax, frames - taken.length), signal)));
  }
  return taken;
}

/** What arrives within `ms`; used to show that nothing does. */
export function takeFor(source: Source, ms: number): Promise<Delivery[]> {
  return source.pull(100, AbortSignal.timeout(ms));
}

/** Resolves when `holds` is true. @throws Error with `what`, when it is not in two minutes */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + HANG_MS_MAX;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${HANG_MS_MAX} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function commitAll(appender: Appender, frames: readonly Frame[]): Promise<void> {
  await Promise.all(frames.map((frame) => appender.commit(frame)));
}
