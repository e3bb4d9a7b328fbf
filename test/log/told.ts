import assert from 'node:assert/strict';
import { LOG_EVENTS, type LogEvent } from '../../src/model/log.js';

/** A line of the log, as a program reads it. */
interface ToldLine {
  readonly level: string;
  readonly time: string;
  readonly event: LogEvent;
  readonly msg: string;
  readonly leftOut?: number;
}

/** All lines of a log, each of which must be JSON, of a known event, at its level. */
export function toldLines(stderr: string): ToldLine[] {
  const lines = stderr
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ToldLine);
  for (const { level, time, event } of lines) {
    assert.equal(level, LOG_EVENTS[event]?.level, event);
    assert.equal(new Date(time).toISOString(), time);
  }
  return lines;
}

/** How often an event came about, those that were left out included. */
export function times(lines: readonly ToldLine[], event: LogEvent): number {
  return lines
    .filter((line) => line.event === event)
    .reduce((sum, { leftOut = 0 }) => sum + 1 + leftOut, 0);
}

/** Lines of one event that so much time has room for: one at once, one every 10 s, one at the end. */
export function linesMax(ms: number): number {
  return 2 + Math.floor(ms / 10_000);
}
