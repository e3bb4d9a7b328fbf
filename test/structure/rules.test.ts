import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CODE, findCircle, ROOT, readSources } from './imports.js';

/** What a stage may import besides itself. */
const STAGE = ['src/model/', 'src/options/', 'src/memory/', 'src/metrics/count.ts'];
/** What an HTTP engine may know of the intake. */
const ENGINE = ['src/intake/http.ts', 'src/intake/listen-fault.ts'];
/** Where the stages are put together. */
const PRODUCT = ['src/', 'workers/'];

/** What each place may import besides itself. A file belongs to the longest place that its path begins with. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/version.ts': ['package.json'],
  'src/model/': [],
  'src/options/': ['src/model/'],
  'src/memory/': ['src/model/'],
  'src/metrics/': ['src/model/', 'src/options/', 'src/memory/'],
  'src/log/': STAGE,
  'src/process/': STAGE,
  'src/schema/': STAGE,
  'src/intake/': STAGE,
  'src/intake/uws/': [...STAGE, ...ENGINE],
  'src/intake/node/': [...STAGE, ...ENGINE],
  'src/limit/': STAGE,
  'src/senders/': STAGE,
  'src/idempotency/': STAGE,
  'src/commit/': STAGE,
  'src/drain/': STAGE,
  'src/admin/': STAGE,
  ...journalLayers({
    'source-handle.ts': [],
    'kept-control.ts': ['source-handle.ts'],
    'direct-appender.ts': [],
    'frame/': [],
    'store/': ['frame/'],
    'nats/': ['frame/'],
    'local/': ['source-handle.ts', 'kept-control.ts', 'frame/', 'store/'],
    'ledger/': ['frame/', 'store/', 'nats/'],
    'control/': ['nats/', 'ledger/'],
    'jetstream/': ['frame/', 'store/', 'nats/', 'ledger/', 'control/'],
    'spool/': [
      'source-handle.ts',
      'kept-control.ts',
      'frame/',
      'store/',
      'nats/',
      'local/',
      'jetstream/',
    ],
    'open.ts': [
      'source-handle.ts',
      'direct-appender.ts',
      'store/',
      'local/',
      'jetstream/',
      'spool/',
    ],
  }),
  'src/cli/': PRODUCT,
  'src/index.ts': PRODUCT,
  'src/main.ts': ['src/process/', 'src/cli/'],
  'workers/': PRODUCT,
  'workers/handlers/': ['src/model/'],
  'drills/': ['src/model/', 'src/options/', 'src/version.ts', 'src/main.ts', 'k6/lib/'],
  'drills/prove/': [
    'src/model/',
    'src/options/',
    'src/version.ts',
    'src/journal/nats/remove-streams.ts',
    'drills/',
  ],
  'k6/': [],
  'monitoring/': ['src/'],
  'scripts/': ['k6/', 'dist/', 'src/'],
  'bench/': ['src/', 'workers/', 'drills/', 'k6/lib/', 'scripts/', 'test/support/', 'dist/'],
  'test/': [''],
};

/** Loads a drill by its name, where the installation has drills. */
const LOADS_DRILLS = 'src/cli/commands.ts';

/** Packages that one place alone may know. */
const OWNERS: readonly (readonly [RegExp, string])[] = [
  [/^uWebSockets\.js$/, 'src/intake/uws/'],
  [/^(@nats-io\/|lmdb$)/, 'src/journal/'],
  [/^pino$/, 'src/log/open-log.ts'],
  [/^piscina$/, 'src/drain/handler-pool.ts'],
  [/^prom-client$/, 'src/metrics/collect.ts'],
  [/^pg$/, 'workers/handlers/postgres-sink.ts'],
];

const LINES_MAX = 400;

function journalLayers(layers: Record<string, readonly string[]>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(layers).map(([layer, below]) => [
      `src/journal/${layer}`,
      [...STAGE, ...below.map((name) => `src/journal/${name}`)],
    ]),
  );
}

/** The place of a file, or undefined where the table has none. */
function placeOf(path: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((place) => path.startsWith(place))
    .sort((a, b) => b.length - a.length)[0];
}

const files = readSources();
const product = files.filter(({ path }) => /^(src|workers|drills)\//.test(path));

describe('the structure', () => {
  it('every file has a place and imports only what its place may import', () => {
    const faults: string[] = [];
    for (const file of files) {
      const place = placeOf(file.path);
      if (place === undefined) {
        faults.push(`${file.path}: no rule for this place`);
        continue;
      }
      const allowed = [place, ...MAY_IMPORT[place]!];
      for (const imported of file.files) {
        if (allowed.some((prefix) => imported.startsWith(prefix))) continue;
        if (file.path === LOADS_DRILLS && imported === 'drills/') continue;
        faults.push(`${file.path} imports ${imported}`);
      }
    }
    assert.deepEqual(faults, []);
  });

  it('every place of the table exists', () => {
    const empty = Object.keys(MAY_IMPORT).filter(
      (place) => !files.some(({ path }) => placeOf(path) === place),
    );
    assert.deepEqual(empty, []);
  });

  it('no files import each other in a circle, types included', () => {
    const outsideTests = files.filter(({ path }) => !path.startsWith('test/'));
    assert.deepEqual(findCircle(outsideTests), []);
  });

  it('each of these packages is known to one place of the product', () => {
    const faults: string[] = [];
    for (const file of product) {
      for (const name of file.packages) {
        for (const [pattern, owner] of OWNERS) {
          if (pattern.test(name) && !file.path.startsWith(owner)) {
            faults.push(`${file.path} imports ${name}, which belongs to ${owner}`);
          }
        }
      }
    }
    assert.deepEqual(faults, []);
  });

  it('the routes know no engine, and node:http is known to one engine of the intake', () => {
    const faults: string[] = [];
    for (const { path, files: imported, packages } of files) {
      if (!path.startsWith('src/intake/')) continue;
      const isRoute = placeOf(path) === 'src/intake/';
      if (isRoute && imported.some((name) => /^src\/intake\/\w+\//.test(name))) {
        faults.push(`${path} imports an engine`);
      }
      if (packages.includes('node:http') && placeOf(path) !== 'src/intake/node/') {
        faults.push(`${path} imports node:http`);
      }
    }
    assert.deepEqual(faults, []);
  });

  it('only src/memory does atomic operations', () => {
    const users = product
      .filter(({ text }) => /\bAtomics\./.test(text))
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
    for (const file of product) {
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

  it('docs/architecture.md names every folder of the project, every layer of the journal and every HTTP engine', () => {
    const page = readFileSync(join(ROOT, 'docs', 'architecture.md'), 'utf8');
    const foldersOf = (place: string) =>
      readdirSync(join(ROOT, place), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name);
    const folders = [
      ...CODE,
      'docs',
      ...foldersOf('src'),
      ...foldersOf('src/journal'),
      ...foldersOf('src/intake'),
    ];
    const missing = folders.filter((name) => !new RegExp(`\\b${name}\\b`).test(page));
    assert.deepEqual(missing, []);
  });
});
