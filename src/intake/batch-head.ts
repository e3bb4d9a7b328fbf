import type { BatchFormat, Handling } from './batch-run.js';

const FORMATS: ReadonlyMap<string, BatchFormat> = new Map([
  ['application/x-ndjson', 'lines'],
  ['application/ndjson', 'lines'],
  ['application/jsonl', 'lines'],
  ['application/json', 'array'],
]);

/** Null if it is not the media type of a batch. Parameters and capitals do not matter. */
export function batchFormat(contentType: string): BatchFormat | null {
  const semicolon = contentType.indexOf(';');
  const essence = semicolon < 0 ? contentType : contentType.slice(0, semicolon);
  return FORMATS.get(essence.trim().toLowerCase()) ?? null;
}

/** One preference of the header: a token, and the value behind `=`, which can be in quotes. Parameters follow a semicolon. */
const PREFERENCE = /^\s*handling\s*=\s*("?)(strict|lenient)\1\s*(?:;.*)?$/i;

/** The first preference `handling` of the header `Prefer` (RFC 7240, 2 and 4.4). Others are ignored. */
export function handlingOf(prefer: string): Handling {
  if (prefer === '') return '';
  const named = prefer.split(',').find((one) => /^\s*handling\s*(?:[=;]|$)/i.test(one));
  const found = named === undefined ? null : PREFERENCE.exec(named);
  return found === null ? '' : (found[2]!.toLowerCase() as Handling);
}
