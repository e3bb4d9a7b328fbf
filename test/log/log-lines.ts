import assert from 'node:assert/strict';
import { LOG_EVENTS, type LogEvent } from '../../src/model/log.js';

/** A parsed log line. */
interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly event: LogEvent;
  readonly msg: string;
  readonly leftOut?: number;
}

/** Parses a log; each line must be JSON with a known event and its level. */
export function logLines(stderr: string): LogLine[] {
  const lines = stderr
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LogLine);
  for (const { level, time, event } of lines) {
    assert.equal(level, LOG_EVENTS[event]?.level, event);
    assert.equal(new Date(time).toISOString(), time);
  }
  return lines;
}

/** How often an event occurred, left out lines included. */
export function count(lines: readonly LogLine[], event: LogEvent): number {
  return lines
    .filter((line) => line.event === event)
    .reduce((sum, { leftOut = 0 }) => sum + 1 + leftOut, 0);
}

/** Most lines of one event in this time: one at once, one every 10 s, one at the end. */
export function linesMax(ms: number): number {
  return 2 + Math.floor(ms / 10_000);
}
