/** A handler that cannot be loaded: one line says the file, line and column, what is wrong, and what to do. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { loadInThread } from '../../src/cli/check/handler.js';
import { handlerFault, handlerUrl } from '../../workers/pool/handler-file.js';
import { runForebay } from '../support/forebay.js';

const ENTRY = fileURLToPath(new URL('../../workers/pool/check-handler.js', import.meta.url));
const CONTEXT = { attemptsMax: 5, options: { workMs: 0, errorRate: 0 } };
const WRITE = 'fix: write export default async function handle(orders, context) { … }';
const GOOD = 'export default () => {};\n';
const [MAJOR = 0, MINOR = 0] = process.versions.node.split('.').map(Number);
/** With a flag, which Forebay sets, or without. */
const HAS_TYPES = MAJOR > 22 || (MAJOR === 22 && MINOR >= 6);

/** What is in the folder for all cases. */
const FILES: Readonly<Record<string, string>> = {
  'good.mjs': 'export const x = 1;\n',
  'broken.mjs': 'const a = 1;\nexport default function {\n}\n',
  'deep.mjs': `import './broken.mjs';\n`,
  'config.json': '{"a":1}',
  'bad.json': '{"a":',
  'types.ts': 'export type T = string;\n',
  'broken.cjs': 'const x = 1;\nmodule.exports = ) => {};\n',
};

/** Name and text of the module, and what is said: F is the folder. */
const CASES: readonly (readonly [
  what: string,
  name: string,
  text: string,
  said: string | RegExp,
])[] = [
  [
    'an error of syntax',
    'h.mjs',
    FILES['broken.mjs']!,
    `F/h.mjs:2:25: SyntaxError: Unexpected token '{'`,
  ],
  [
    'an import with an error of syntax',
    'h.mjs',
    `import './broken.mjs';\n${GOOD}`,
    `F/broken.mjs:2:25: SyntaxError: Unexpected token '{'`,
  ],
  [
    'an import of an import with one',
    'h.mjs',
    `import './deep.mjs';\n${GOOD}`,
    `F/broken.mjs:2:25: SyntaxError: Unexpected token '{'`,
  ],
  [
    'bytes that are no text',
    'h.mjs',
    '\u0000\u0001',
    /^F\/h\.mjs:1:\d: SyntaxError: Invalid or unexpected token$/,
  ],
  [
    'a missing file',
    'h.mjs',
    `\n  import a from './nowhere.mjs';\n${GOOD}`,
    /^F\/h\.mjs:2:17: Error: Cannot find module 'F\/nowhere\.mjs'/,
  ],
  [
    'an import without its extension',
    'h.mjs',
    `import a from './good';\n${GOOD}`,
    /^F\/h\.mjs:1:15: Error: .*; did you mean F\/good\.mjs\?$/,
  ],
  [
    'a missing package',
    'h.mjs',
    `import a from 'no-such-package/part';\n${GOOD}`,
    /^F\/h\.mjs:1:15: Error: Cannot find package 'no-such-package' .*; fix: npm install no-such-package$/,
  ],
  [
    'a missing part of Node',
    'h.mjs',
    `import a from 'node:no';\n${GOOD}`,
    'F/h.mjs:1:15: Error: No such built-in module: node:no',
  ],
  [
    'a missing export',
    'h.mjs',
    `\nimport { y } from './good.mjs';\n${GOOD}`,
    `F/h.mjs:2:10: SyntaxError: The requested module './good.mjs' does not provide an export named 'y'`,
  ],
  [
    'JSON without its attribute',
    'h.mjs',
    `import c from './config.json';\n${GOOD}`,
    /^F\/h\.mjs:1:15: TypeError: Module "file:\/\/F\/config\.json" needs an import attribute of /,
  ],
  [
    'broken JSON',
    'h.mjs',
    `import { createRequire } from 'node:module';\ncreateRequire(import.meta.url)('./bad.json');\n`,
    /^F\/h\.mjs:2:31: SyntaxError: F\/bad\.json: .*JSON/,
  ],
  [
    'an error at the top',
    'h.mjs',
    `const z = 1;\nthrow new RangeError('no database');\n`,
    'F/h.mjs:2:7: RangeError: no database',
  ],
  [
    'an error in a function of an import',
    'h.mjs',
    `import { readFileSync } from 'node:fs';\nreadFileSync('/nowhere/shop.json');\n`,
    /^F\/h\.mjs:2:\d+: Error: ENOENT: no such file or directory, open '\/nowhere\/shop\.json'$/,
  ],
  [
    'an error of several lines',
    'h.mjs',
    `throw new Error('one\\ntwo\\u0000three');\n`,
    'F/h.mjs:1:7: Error: one two three',
  ],
  [
    'a text that is thrown',
    'h.mjs',
    `throw 'no config';\n`,
    `it threw 'no config' while it was loaded`,
  ],
  ['null that is thrown', 'h.mjs', 'throw null;\n', 'it threw null while it was loaded'],
  [
    'require in an ES module',
    'h.mjs',
    `\nconst fs = require('fs');\n${GOOD}`,
    /^F\/h\.mjs:2:12: ReferenceError: require is not defined/,
  ],
  [
    'module.exports in an ES module',
    'h.mjs',
    'module.exports = () => {};\n',
    /^F\/h\.mjs:1:1: ReferenceError: module is not defined.*; fix: in an ES module write export default, or name the file \.cjs$/,
  ],
  ['nothing', 'h.mjs', '', `it exports nothing; ${WRITE}`],
  [
    'only named exports',
    'h.mjs',
    'export const handle = () => {}; export const prepare = 1;\n',
    `it has no default export, only handle, prepare; ${WRITE}`,
  ],
  [
    'an object as the handler',
    'h.mjs',
    'export default { handle() {} };\n',
    `the default export is an object with handle, not a function; ${WRITE}`,
  ],
  [
    'a class as the handler',
    'h.mjs',
    'export default class Shop {}\n',
    `the default export is the class Shop, not a function; ${WRITE}`,
  ],
  [
    'a promise as the handler',
    'h.mjs',
    `export default import('./good.mjs');\n`,
    `the default export is a promise, not a function; ${WRITE}`,
  ],
  [
    'a prepare that is no function',
    'h.mjs',
    `${GOOD}export const prepare = 5;\n`,
    'the export prepare is 5, not a function',
  ],
  [
    'a check that throws',
    'h.mjs',
    `${GOOD}\nexport const check = () => { throw new TypeError('no key'); };\n`,
    'its check threw F/h.mjs:3:36: TypeError: no key',
  ],
  ['process.exit', 'h.mjs', 'process.exit(3);\n', 'it called process.exit(3) while it was loaded'],
  [
    'a top-level await that never settles',
    'h.mjs',
    `await new Promise(() => {});\n${GOOD}`,
    'a top-level await never settles: nothing is left that could settle it',
  ],
  [
    'CommonJS with an error of syntax',
    'h.cjs',
    `require('./broken.cjs');\n`,
    `F/broken.cjs:2:18: SyntaxError: Unexpected token ')'`,
  ],
  [
    'CommonJS with import',
    'h.cjs',
    `import fs from 'node:fs';\n`,
    /^F\/h\.cjs:1:1: SyntaxError: Cannot use import statement outside a module; fix: name the file \.mjs, or put "type": "module"/,
  ],
  [
    'CommonJS with a missing file',
    'h.cjs',
    `\nrequire('./nowhere');\n`,
    `F/h.cjs:2:1: Error: Cannot find module './nowhere'`,
  ],
  [
    'JSON',
    'h.json',
    '{}',
    'it is JSON; fix: name an ES module, .mjs or .js, whose default export is a function',
  ],
  [
    'another kind of file',
    'h.py',
    'def handle(orders): pass\n',
    'Node cannot run a file with the extension .py; fix: compile it to an ES module, .mjs or .js',
  ],
];

const TYPED: typeof CASES = [
  [
    'an enum',
    'h.ts',
    `\nenum Kind { a }\n${GOOD}`,
    /^F\/h\.ts:2:1: SyntaxError: TypeScript enum is not supported in strip-only mode; fix: Node only removes types/,
  ],
  [
    'a decorator',
    'h.ts',
    `function d(x: unknown) {}\n@d class A {}\n${GOOD}`,
    /^F\/h\.ts:2:1: SyntaxError: Invalid or unexpected token; a decorator is no JavaScript yet; fix: Node only/,
  ],
  [
    'an error of syntax',
    'h.ts',
    `const a: number = ;\n${GOOD}`,
    /^F\/h\.ts:1:(?:1|19): SyntaxError: Expression expected$/,
  ],
  [
    'a type that is imported as a value',
    'h.ts',
    `import { T } from './types.ts';\n${GOOD}`,
    /^F\/h\.ts:1:10: SyntaxError: .*; fix: if T is a type, write import type \{ T \}$/,
  ],
  [
    'an import of what it was compiled to',
    'h.ts',
    `import { T } from './types.js';\n${GOOD}`,
    /^F\/h\.ts:1:19: Error: .*; did you mean F\/types\.ts\?$/,
  ],
];

describe('a handler that cannot be loaded', () => {
  let folder: string;
  before(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'forebay-load-')));
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Each in a folder of its own kind would be slow: the cases take turns with their file. */
  async function said(name: string, text: string): Promise<string | null> {
    const file = join(folder, name);
    writeFileSync(file, text);
    const { loadError } = await loadInThread(ENTRY, pathToFileURL(file).href, CONTEXT);
    return loadError?.replaceAll(folder, 'F') ?? null;
  }

  function test([what, name, text, expected]: (typeof CASES)[number], skip: string | false): void {
    it(`because of ${what}`, { skip }, async () => {
      const found = (await said(name, text)) ?? 'it loads';
      if (typeof expected === 'string') assert.equal(found, expected);
      else assert.match(found, expected);
      assert.doesNotMatch(found, /\n/);
    });
  }

  for (const one of CASES) test(one, false);
  describe('in TypeScript', () => {
    for (const one of TYPED) test(one, !HAS_TYPES && 'this Node cannot run TypeScript');

    it('that this Node cannot run says which can', {
      skip: HAS_TYPES && 'this Node can',
    }, async () => {
      assert.equal(
        await said('h.ts', GOOD),
        `Node ${process.versions.node} cannot run TypeScript; fix: use Node 22.18 or later, or compile the handler to JavaScript`,
      );
    });
  });

  for (const [what, name, text] of [
    ['CommonJS', 'h.cjs', 'module.exports = async (orders) => {};\n'],
    [
      'CommonJS that was compiled from an ES module',
      'h.cjs',
      `Object.defineProperty(exports, '__esModule', { value: true });\nexports.default = async (orders) => {};\n`,
    ],
    [
      'TypeScript',
      'h.mts',
      'interface Order { id: string }\nexport default async (orders: Order[]): Promise<void> => {};\n',
    ],
  ] as const) {
    it(`is not one in ${what}`, {
      skip: what === 'TypeScript' && !HAS_TYPES && 'this Node cannot run it',
    }, async () => {
      assert.equal(await said(name, text), null);
    });
  }

  it('because of its path: says what is there', () => {
    mkdirSync(join(folder, 'shop'));
    writeFileSync(join(folder, 'shop', 'index.mjs'), GOOD);
    symlinkSync('/nowhere/x.mjs', join(folder, 'link.mjs'));
    for (const [path, expected] of [
      ['F/Good.mjs', 'there is no such file (F/Good.mjs); did you mean F/good.mjs?'],
      [
        'F/other-name.mjs',
        'there is no such file (F/other-name.mjs); fix: name simulate, postgres or a file that exists',
      ],
      ['postgress', 'there is no such file; did you mean postgres?'],
      ['F/shop', 'it is a folder; fix: name a file in it, F/shop/index.mjs'],
      ['F/link.mjs', 'it is a link to /nowhere/x.mjs, which does not exist'],
      ['/dev/null', 'it is not a file'],
      [
        'https://shop.example/h.mjs',
        'it is a URL (https:), not a file; fix: name a file, such as ./shop.mjs',
      ],
      [
        'data:text/javascript,1',
        'it is a URL (data:), not a file; fix: name a file, such as ./shop.mjs',
      ],
      ['file://host/h.mjs', 'it is not a valid URL of a file'],
    ] as const) {
      const handler = path.replace('F', folder);
      assert.throws(
        () => handlerUrl(handler),
        (error: Error) => error.message.replaceAll(folder, 'F') === `handler ${path}: ${expected}`,
        path,
      );
    }
    const url = pathToFileURL(join(folder, 'good.mjs')).href;
    assert.equal(handlerUrl(url), url);
  });

  it('serve and check say the same, with the same exit code', async () => {
    const file = join(folder, 'broken.mjs');
    const flags = ['--mode', 'direct', '--port', '0', '--admin-port', '0', '--handler', file];
    const served = await runForebay(['serve', ...flags]);
    const checked = await runForebay(['check', ...flags]);
    assert.equal(served.code, 2);
    assert.equal(checked.code, 2);
    const place = `${file}: ${file}:2:25: SyntaxError: Unexpected token '{'`;
    const fix = 'correct the module, or name another with --handler';
    assert.ok(served.stderr.includes(`handler ${place}; fix: ${fix}\n`), served.stderr);
    assert.ok(checked.stdout.includes(place) && checked.stdout.includes(`fix: ${fix}`));
    assert.equal(dirname(file), folder);
  });

  it('a fix that is said already is not said twice', () => {
    assert.doesNotMatch(handlerFault('x.mjs', 'it is JSON; fix: name another').message, /correct/);
  });
});
