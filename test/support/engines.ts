import { missingServerBinary } from '../../src/intake/uws/platform.mjs';

const uwsMissing = await missingServerBinary();

/** The HTTP engines, for suites that run with each: `--http` and why it cannot be tested here, or false. */
export const ENGINES = [
  { http: 'uws', skip: uwsMissing ?? false },
  { http: 'node', skip: false },
] as const;
