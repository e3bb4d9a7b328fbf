import { describe } from 'node:test';
import { missingServerBinary } from '../../../src/intake/uws/platform.mjs';

const missing = await missingServerBinary();

/** Bodies, receipts and what is told once more, with the HTTP engine that `--http auto` does not choose here. */
describe('with the other HTTP engine', { skip: missing ?? false }, () => {});

if (missing === null) {
  // Before the suites are loaded, which read it: see test/support/http-engine.
  process.env.FOREBAY_HTTP = 'node';
  await import('../bodies.test.js');
  await import('../receipts.test.js');
  await import('../told.test.js');
}
