/**
 * The HTTP engine that the servers of a test file use: FOREBAY_HTTP, or what `auto` chooses. The suites of the HTTP contract
 * run with both: see test/intake/other-engine.
 */
import { missingServerBinary } from '../../src/intake/uws/platform.mjs';
import { sharesPort } from '../../src/options/port-sharing.js';

/** Why uWebSockets.js cannot be tested here; null if it can. */
const UWS_MISSING = await missingServerBinary();

const chosen = process.env.FOREBAY_HTTP ?? 'auto';

export const ENGINE: 'uws' | 'node' =
  chosen === 'node' || (chosen === 'auto' && UWS_MISSING !== null) ? 'node' : 'uws';

/** The engines that run here, for tests that try each in turn. */
export const ENGINES: readonly ('uws' | 'node')[] =
  UWS_MISSING === null ? ['uws', 'node'] : ['node'];

/** `--threads` of tests that want several intake threads: one where they cannot share a port. */
export const SEVERAL_THREADS = sharesPort(ENGINE) ? '2' : '1';
