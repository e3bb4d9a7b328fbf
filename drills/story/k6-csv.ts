import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { EXIT, OperatorFault } from '../../src/model/fault.js';

/** One request, as k6's CSV output has it. */
export interface K6Request {
  /** Epoch milliseconds at which the answer had arrived. */
  readonly atMs: number;
  readonly status: number;
  readonly latencyMs: number;
}

const METRIC = 'http_req_duration';
const COLUMNS = ['metric_name', 'timestamp', 'metric_value', 'scenario', 'status'] as const;

/**
 * Reads the requests of one scenario out of the file that `--out csv=FILE` writes, with
 * K6_CSV_TIME_FORMAT=unix_micro.
 *
 * @throws OperatorFault it is not such a file
 */
export async function readK6Csv(file: string, scenario: string): Promise<K6Request[]> {
  const requests: K6Request[] = [];
  let places: readonly number[] | null = null;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (places === null) {
      places = placesOf(line);
      continue;
    }
    if (!line.startsWith(`${METRIC},`)) continue;
    const cells = cellsOf(line);
    const [, micros, value, from, status] = places.map((place) => cells[place]);
    if (from !== scenario) continue;
    requests.push({
      atMs: Number(micros) / 1000,
      status: Number(status),
      latencyMs: Number(value),
    });
  }
  return requests;
}

function placesOf(header: string): number[] {
  const names = cellsOf(header);
  return COLUMNS.map((column) => {
    const place = names.indexOf(column);
    if (place === -1) {
      throw new OperatorFault(`story: k6's CSV output has no column ${column}`, EXIT.failed);
    }
    return place;
  });
}

/** The cells of one line; a quoted one may hold commas. */
function cellsOf(line: string): string[] {
  return Array.from(
    line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g),
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}
