import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CODE = ['src', 'workers', 'bench', 'k6', 'monitoring', 'scripts', 'test'];

/** Where the stages are put together: these may import anything of the product. */
const COMPOSITION = ['src/main.ts', 'src/cli/', 'workers/'];

const STAGE = ['model', 'options', 'memory', 'metrics/count'];
/** What each folder under src may import besides itself; `model` stands on nothing. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'version.ts': [],
  model: [],
  options: ['model'],
  memory: ['model'],
  metrics: ['model', 'options', 'memory'],
  log: STAGE,
  process: STAGE,
  schema: STAGE,
  intake: STAGE,
  limit: STAGE,
  idempotency: STAGE,
  commit: STAGE,
  drain: STAGE,
  journal: STAGE,
  admin: STAGE,
};

/** The layers of the journal, from the bottom up, and what each may import besides itself. */
const JOURNAL_LAYERS: Readonly<Record<string, readonly string[]>> = {
  'source-handle.ts': [],
  'direct-appender.ts': [],
  frame: [],
  store: ['frame'],
  nats: ['frame'],
  local: ['source-handle', 'frame', 'store'],
  ledger: ['frame', 'store', 'nats'],
  jetstream: ['frame', 'store', 'nats', 'ledger'],
  spool: ['source-handle', 'frame', 'store', 'nats', 'jetstream', 'local'],
  'open.ts': [
    'source-handle',
    'direct-appender',
    'store',
    'nats',
    'local',
    'jetstream',
    'spool',
  ],
};

/** What the folders beside src may import besides themselves; `src` stands for all of it and workers. */
const BESIDE_SRC: Readonly<Record<string, readonly string[]>> = {
  drills: ['src/model/', 'src/options/', 'src/version', 'src/main', 'k6/'],
  k6: [],
  monitoring: ['src/'],
  scripts: ['dist', 'k6/', 'src/'],
  bench: ['src/', 'workers/', 'drills/', 'k6/', 'scripts/', 'test/support/'],
  test: [''],
};

/** Packages that one place alone may know. */
const OWNERS: readonly (readonly [RegExp, string])[] = [
  [/^uWebSockets\.js$/, 'src/intake/'],
  [/^(@nats-io\/|lmdb$)/, 'src/journal/'],
  [/^pino$/, 'src/log/open-log.ts'],
  [/^piscina$/, 'src/drain/dispatch.ts'],
  [/^prom-client$/, 'src/metrics/collect.ts'],
  [/^pg$/, 'workers/handlers/postgres-sink.ts'],
];

const LINES_MAX = 250;

interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Module specifiers, as they stand there. */
  readonly imports: readonly string[];
}

function sourceFiles(): SourceFile[] {
  return CODE.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|mjs|js)$/.test(name) && !/(^|\/)node_modules\//.test(name))
      .map((name) => {
        const path = join(folder, name);
        const text = readFileSync(join(ROOT, path), 'utf8');
        const found = text.matchAll(
          /(?:^|\n)(?:import|export)\b[^'";]*?from '([^']+)'|\bimport\('([^']+)'\)/g,
        );
        return { path, text, imports: Array.from(found, (match) => (match[1] ?? match[2])!) };
      }),
  );
}

/** The file that a relative import names, from the root, without its ending. */
function target(file: SourceFile, specifier: string): string {
  return normalize(join(dirname(file.path), specifier)).replace(/\.(js|mjs|ts)$/, '');
}

function isComposition(path: string): boolean {
  return COMPOSITION.some(
    (place) => path === place || (place.endsWith('/') && path.startsWith(place)),
  );
}

const files = sourceFiles();

describe('the structure', () => {
  it('stages import only what lies below them', () => {
    const faults: string[] = [];
    for (const file of files.filter(
      ({ path }) => path.startsWith('src/') && !isComposition(path),
    )) {
      const folder = relative('src', file.path).split('/')[0]!;
      const allowed = MAY_IMPORT[folder];
      if (allowed === undefined) {
        faults.push(`${file.path}: no rule for this place`);
        continue;
      }
      for (const specifier of file.imports.filter((name) => name.startsWith('.'))) {
        const imported = target(file, specifier);
        const own = imported.startsWith(`src/${folder}/`) || imported.startsWith('k6/lib/');
        const below = allowed.some(
          (place) => imported === `src/${place}` || imported.startsWith(`src/${place}/`),
        );
        if (!own && !below) faults.push(`${file.path} imports ${imported}`);
      }
    }
    assert.deepEqual(faults, []);
  });

  it('each chosen package is known to one place of the product', () => {
    const faults: string[] = [];
    for (const file of files.filter(({ path }) => /^(src|workers)\//.test(path))) {
      for (const specifier of file.imports) {
        for (const [name, owner] of OWNERS) {
          if (name.test(specifier) && !file.path.startsWith(owner)) {
            faults.push(`${file.path} imports ${specifier}, which belongs to ${owner}`);
          }
        }
      }
    }
    assert.deepEqual(faults, []);
  });

  it('only src/memory does atomic operations', () => {
    const users = files
      .filter(({ path, text }) => /^(src|workers)\//.test(path) && /\bAtomics\./.test(text))
      .map(({ path }) => path)
      .filter((path) => !path.startsWith('src/memory/'));
    assert.deepEqual(users, []);
  });

  it(`no file is longer than ${LINES_MAX} lines`, () => {
    const long = files
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > LINES_MAX);
    assert.deepEqual(long, []);
  });

  it('every export of the product is used somewhere else', () => {
    const faults: string[] = [];
    for (const file of files.filter(({ path }) => /^(src|workers)\//.test(path))) {
      const names = file.text.matchAll(
        /\nexport (?:async )?(?:const|class|function|interface|type) ([A-Za-z0-9_]+)/g,
      );
      for (const [, name] of names) {
        const used = files.some(
          (other) => other.path !== file.path && new RegExp(`\\b${name}\\b`).test(other.text),
        );
        const inOwnFile = file.text.match(new RegExp(`\\b${name}\\b`, 'g'))!.length > 1;
        // A type that only its own file's signatures use is part of what that file offers.
        const isType = new RegExp(`export (interface|type) ${name}\\b`).test(file.text);
        if (!used && !(isType && inOwnFile)) faults.push(`${file.path}: ${name}`);
      }
    }
    assert.deepEqual(faults, []);
  });

  it('no file has a name that says nothing', () => {
    const vague = files.filter(({ path }) => /(util|helper|common|manager|misc)s?\b/i.test(path));
    assert.deepEqual(
      vague.map(({ path }) => path),
      [],
    );
  });
});
