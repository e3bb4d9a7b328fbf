import { describe } from 'node:test';
import { missingServerBinary } from '../../../src/intake/uws/platform.mjs';

const missing = await missingServerBinary();

/** The HTTP contract once more, with the HTTP engine that `--http auto` does not choose here. */
describe('with the other HTTP engine', { skip: missing ?? false }, () => {});

if (missing === null) {
  // Before the suites are loaded, which read it: see test/support/http-engine.
  process.env.FOREBAY_HTTP = 'node';
  await import('../contract.test.js');
  await import('../batches.test.js');
}
