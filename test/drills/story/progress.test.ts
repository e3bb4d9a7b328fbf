import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Progress } from '../../../drills/story/progress.js';
import { readingOf } from '../../../drills/wave/server-watch.js';
import { metricsText } from './metrics-text.js';

const reading = readingOf(metricsText({ created: 120, refused: 7, done: 100, pending: 20 }));

function shown(isTTY: boolean): string[] {
  const written: string[] = [];
  let nowMs = 0;
  const out = { isTTY, columns: 60, write: (text: string) => written.push(text) };
  const progress = new Progress(out, 40, () => nowMs);
  for (const part of ['without', 'with']) {
    progress.begin(part, 20);
    for (let second = 0; second <= 10; second++) {
      progress.show(reading);
      nowMs += 1000;
    }
  }
  progress.end();
  return written;
}

describe('the progress of the story', () => {
  it('is one line that changes on a terminal, never wider than the terminal', () => {
    const written = shown(true);
    assert.equal(written.length, 23);
    assert.ok(written.every((text) => text.startsWith('\r\x1b[2K') && !text.includes('\n')));
    assert.ok(written.every((text) => text.replace('\r\x1b[2K', '').length < 60));
    assert.match(written[10]!, / 25 %/);
    assert.match(written[21]!, / 75 %/);
    assert.equal(written.at(-1), '\r\x1b[2K');
  });

  it('is a line every five seconds in a file or a pipe', () => {
    const written = shown(false);
    assert.equal(written.length, 6);
    assert.ok(written.every((text) => text.endsWith('\n') && !text.includes('\r')));
    assert.equal(written[1], ' 13 %  without 5 s  200: 120  500: 7  done: 100  pending: 20\n');
  });
});
