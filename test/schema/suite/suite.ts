import { readFileSync } from 'node:fs';

/** A group of the official test suite: a schema, and values with the right verdict. */
export interface Group {
  readonly file: string;
  readonly description: string;
  readonly schema: unknown;
  readonly tests: readonly Case[];
}

export interface Case {
  readonly description: string;
  readonly data: unknown;
  readonly valid: boolean;
}

export type Draft = 'draft2020-12' | 'draft7';

/**
 * The JSON-Schema-Test-Suite as of the release 4.26.0 of the Python package jsonschema, which contains it: one group on
 * each line, without its comments. See LICENSE beside it.
 */
export function readSuite(draft: Draft): Group[] {
  const url = new URL(`../../../../test/schema/suite/${draft}.ndjson`, import.meta.url);
  return readFileSync(url, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Group);
}
