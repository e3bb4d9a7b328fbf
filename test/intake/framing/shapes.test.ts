import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { missingServerBinary } from '../../../src/intake/uws/platform.mjs';
import { SHAPES } from './shapes.js';
import { type Outcome, Trial } from './trial.js';

const PAGE = join(
  fileURLToPath(new URL('../../../..', import.meta.url)),
  'docs/reference/http-engines.md',
);
const MARK = '<!-- shapes -->\n';

/** `FOREBAY_WRITE_DOCS=1 npm test -- intake/framing/shapes` writes the table. */
const WRITES = process.env.FOREBAY_WRITE_DOCS === '1';

const COLUMNS = { uws: 1, node: 2 } as const;
type Column = keyof typeof COLUMNS;

/** The cells of the table in the docs, by row. */
function readTable(): string[][] {
  const [, table = ''] = readFileSync(PAGE, 'utf8').split(MARK);
  const rows = table.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) => row.slice(2, -2).split(' | '));
}

function cellOf({ received }: Outcome): string {
  const statuses = Array.from(received.matchAll(/HTTP\/1\.1 (\d\d\d) /g), ([, status]) => status);
  return statuses.length === 0 ? 'no answer' : statuses.join(', ');
}

async function cells(t: TestContext, engine: Column): Promise<string[]> {
  const trial = await Trial.start(t, ['--http', engine]);
  const { outcomes, lost, untold } = await trial.run(
    SHAPES.map(({ pieces, isHalfClosed }) => ({
      pieces: pieces.map((piece) => Buffer.from(piece, 'latin1')),
      isHalfClosed: isHalfClosed === true,
    })),
  );
  assert.deepEqual(lost, []);
  assert.equal(await trial.stop(), 0);
  const races = SHAPES.filter(({ uwsRace }) => engine === 'uws' && uwsRace !== undefined);
  assert.ok(untold.length <= races.length, `kept without an answer: ${untold.length}`);
  return outcomes.map((outcome, i) => {
    const race = engine === 'uws' ? SHAPES[i]!.uwsRace : undefined;
    const cell = cellOf(outcome);
    return race?.includes(cell) ? race : cell;
  });
}

function write(column: Column, found: readonly string[]): void {
  const [before, table, after] = readFileSync(PAGE, 'utf8').split(MARK);
  const known = new Map(readTable().map((row) => [row[0], row]));
  const rows = SHAPES.map(({ name }, i) => {
    const row = [name, ...(known.get(name)?.slice(1) ?? ['', ''])];
    row[COLUMNS[column]] = found[i]!;
    return `| ${row.join(' | ')} |`;
  });
  const [title, rule] = table!.split('\n').filter((line) => line.startsWith('|'));
  const text = [before, `\n${[title, rule, ...rows].join('\n')}\n\n`, after].join(MARK);
  writeFileSync(PAGE, text);
}

describe('the table of client shapes in docs/reference/http-engines.md', () => {
  for (const engine of ['uws', 'node'] as const) {
    it(`says what ${engine} answers`, async (t) => {
      const missing = engine === 'uws' ? await missingServerBinary() : null;
      if (missing !== null) {
        t.skip(missing);
        return;
      }
      const found = await cells(t, engine);
      if (WRITES) write(engine, found);
      const shown = readTable().map((row) => [row[0], row[COLUMNS[engine]]]);
      assert.deepEqual(
        shown,
        SHAPES.map(({ name }, i) => [name, found[i]]),
      );
    });
  }
});
