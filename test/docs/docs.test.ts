import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { proveHelp } from '../../drills/prove/options.js';
import { storyHelp } from '../../drills/story/options.js';
import { waveHelp } from '../../drills/wave/options.js';
import { help as dlqHelp } from '../../src/cli/dlq/command.js';
import { help as drainHelp } from '../../src/cli/drain/command.js';
import { type Answer, answers } from '../../src/model/answers.js';
import { EXIT } from '../../src/model/fault.js';
import { schema } from '../../src/options/schema.js';
import { flagName } from '../../src/options/spec.js';
import { orderFaults } from '../schema/order-faults.js';
import { pages, ROOT, read } from './pages.js';

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** Of useradd, systemctl and helm. */
const OPTIONS_OF_SYSTEM = ['system', 'home-dir', 'shell', 'now', 'set'];

/** Pages about programs that measure, which have options of their own. */
const OTHER_PROGRAMS = [
  'docs/guides/performance.md',
  'docs/guides/profiling.md',
  'docs/guides/scaling.md',
  'docs/reference/benchmarks.md',
  'docs/reference/faults.md',
  'docs/reference/latency.md',
  'docs/waves.md',
];

const manifest = JSON.parse(read('package.json')) as Manifest;

/** The cells of each row of the page's tables. */
function rows(page: string): string[][] {
  return read(page)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map((cells) => cells.slice(1, -1));
}

/** Names of the folders in one, without hidden ones. */
function foldersIn(path: string): string[] {
  return readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name);
}

describe('the answers to orders', () => {
  const isOf =
    ({ status, body }: Answer) =>
    (cells: string[]) =>
      cells[0] === String(status) && cells[1] === `\`${body}\``;

  for (const page of ['docs/reference/http-api.md', 'README.md']) {
    it(`are in ${page}, each with its status and body, in the order of precedence`, () => {
      const places = Object.values(answers).map((answer) => rows(page).findIndex(isOf(answer)));
      assert.ok(!places.includes(-1), `${places}`);
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
      );
    });
  }

  it('are in docs/reference/http-api.md with whether a retry can help', () => {
    for (const answer of Object.values(answers)) {
      const row = rows('docs/reference/http-api.md').find(isOf(answer));
      assert.equal(row?.[2], answer.retryable ? 'yes' : 'no', answer.body);
    }
  });
});

describe('docs/reference/http-api.md', () => {
  it('lists every error that x-invalid names, in the order of precedence', () => {
    const listed = read('docs/reference/http-api.md').matchAll(/^(\d+)\. `(\/[^`]*)`/gm);
    assert.deepEqual(
      Array.from(listed, ([, code, text]) => [Number(code), text]),
      orderFaults.map((text, index) => [index + 1, text]),
    );
  });

  it('has every exit code', () => {
    const codes = rows('docs/reference/http-api.md').map(([first]) => first);
    for (const code of Object.values(EXIT)) assert.ok(codes.includes(String(code)), String(code));
  });
});

describe('docs/reference/dependencies.md', () => {
  it('has a row for every dependency, and no others', () => {
    const listed = rows('docs/reference/dependencies.md')
      .map(([name]) => name!)
      .filter((name) => name !== 'package' && !name.startsWith('--'));
    const { dependencies, devDependencies } = manifest;
    assert.deepEqual(
      listed.toSorted(),
      Object.keys({ ...dependencies, ...devDependencies }).toSorted(),
    );
  });
});

describe('docs/architecture.md', () => {
  it('has a row for every folder of the project and every layer of the journal', () => {
    const listed = rows('docs/architecture.md').map(([first]) => first);
    const beside = [
      'workers',
      'drills',
      'bench',
      'k6',
      'monitoring',
      'deploy',
      'scripts',
      'test',
      'docs',
    ];
    const folders = [
      ...beside,
      ...foldersIn('src').map((name) => `src/${name}`),
      ...foldersIn('src/journal'),
    ];
    assert.deepEqual(
      folders.filter((name) => !listed.includes(name)),
      [],
    );
  });
});

/** Of the handler postgres. */
const TABLES = ['forebay_orders', 'forebay_json_orders'];

describe('README and docs', () => {
  it('name only npm scripts that exist', () => {
    const ofNpm = ['audit', 'ci', 'install', 'outdated', 'pack', 'pkg', 'warn'];
    const known = [...Object.keys(manifest.scripts), ...ofNpm];
    // In code only, between backquotes or at the start of a line of an example.
    const command = /(?:`|^|&& )npm (?:run )?([a-z]+(?::[a-z]+)?)/gm;
    const named = pages.flatMap((page) =>
      Array.from(read(page).matchAll(command), ([, name]) => name!),
    );
    assert.ok(named.includes('bench'));
    assert.deepEqual(
      named.filter((name) => !known.includes(name)),
      [],
    );
  });

  it('name only metrics that exist', () => {
    const known = new Set(read('docs/reference/metrics.md').match(/\bforebay_[a-z_]+/g));
    const unknown = pages.flatMap((page) =>
      Array.from(read(page).matchAll(/\bforebay_[a-z_]+[a-z]\b(?!\*)/g), ([name]) => name)
        .filter((name) => !known.has(name) && !TABLES.includes(name))
        .map((name) => `${page}: ${name}`),
    );
    assert.deepEqual(unknown, []);
  });

  it('name only options of forebay that exist', () => {
    const served = [...Object.keys(schema).map(flagName), 'config', 'help', 'version'];
    const looked = Array.from(dlqHelp().matchAll(/--([a-z-]+)/g), ([, name]) => name!);
    const waved = Array.from(waveHelp().matchAll(/^ {2}--([a-z-]+)/gm), ([, name]) => name!);
    const told = Array.from(storyHelp().matchAll(/^ {2}--([a-z-]+)/gm), ([, name]) => name!);
    const steered = Array.from(drainHelp().matchAll(/^ {2}--([a-z-]+)/gm), ([, name]) => name!);
    const proved = Array.from(proveHelp().matchAll(/^ {2}--([a-z-]+)/gm), ([, name]) => name!);
    const faults: string[] = [];
    for (const page of pages.filter((name) => !OTHER_PROGRAMS.includes(name))) {
      for (const line of read(page).split('\n')) {
        const known = [...served];
        if (line.includes('faults')) known.push('only');
        if (line.includes('docker compose')) known.push('build', 'profile');
        if (line.includes('for programs')) known.push('json');
        if (line.includes('forebay types') || line.includes('to stdout')) known.push('out');
        if (/examples|forebay check/.test(line)) known.push('example');
        if (line.includes('wave') || line.includes('--period')) known.push(...waved);
        if (/\/readyz|accepts orders|main\.js health/.test(line)) known.push('ready');
        if (/forebay drain|`--rate|paused/.test(line)) known.push(...steered);
        if (page === 'docs/reference/command-line.md') known.push(...proved);
        if (line.includes('story')) known.push(...told);
        if (/flag of [nN]ode/.test(line)) known.push('max-old-space-size', 'max-heap-size');
        if (/^(useradd|systemctl|helm) /.test(line)) known.push(...OPTIONS_OF_SYSTEM);
        if (line.includes('npm')) known.push('ignore-scripts');
        if (line.includes('keys new') || line.includes('limit of the name')) known.push('rps');
        if (page === 'docs/guides/dead-letters.md' || line.includes('dlq')) known.push(...looked);
        for (const [, name] of line.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)) {
          if (!known.includes(name!)) faults.push(`${page}: --${name}`);
        }
      }
    }
    assert.deepEqual(faults, []);
  });
});

describe('docs/img/wave.svg', () => {
  it('is what docs/img/draw-wave.mjs draws', async () => {
    const { waveSvg } = await import(
      new URL('../../../docs/img/draw-wave.mjs', import.meta.url).href
    );
    assert.equal(read('docs/img/wave.svg'), waveSvg());
  });
});
