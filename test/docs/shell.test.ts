import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { parseStoryOptions } from '../../drills/story/options.js';
import { parseWaveOptions } from '../../drills/wave/options.js';
import { parseBackup } from '../../src/cli/backup/command.js';
import { parseDlq } from '../../src/cli/dlq/arguments.js';
import { parseDrain } from '../../src/cli/drain/arguments.js';
import { parseTypes } from '../../src/cli/types/command.js';
import { adminAddressOf } from '../../src/options/admin-address.js';
import { loadOptions } from '../../src/options/load.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { codeBlocks, pages, ROOT, read } from './pages.js';
import { replaced } from './replaced.js';
import { commandsOf, forebayArguments, type ShellLine, shellLines } from './shell-lines.js';

const run = promisify(execFile);
const MAIN = join(ROOT, 'dist', 'src', 'main.js');
/** How `forebay` ends if the command line itself is wrong. */
const USAGE = 2;

const manifest = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const lines = pages
  .flatMap(codeBlocks)
  .filter(({ language, notRun }) => language === 'sh' && notRun === null)
  .flatMap(({ page, line, text }) => shellLines(page, line, text));

/** Each different text once, with the first place that shows it. */
function distinct(chosen: readonly ShellLine[]): ShellLine[] {
  return [...new Map(chosen.toReversed().map((line) => [line.text, line])).values()];
}

/** The docs must not use a name that ends with the next version. */
function refuseFormerName(warning: string): never {
  throw new Error(warning);
}

/** @throws Error if an option or a value is wrong */
function parseForebay(argv: readonly string[], env: Readonly<Record<string, string>>): void {
  const [command = '', ...rest] = argv;
  if (rest.includes('--help') || command === '--help' || command === '--version') return;
  if (command === 'serve') loadOptions(rest, env);
  else if (command === 'check')
    loadOptions(
      rest.filter((word) => word !== '--json'),
      env,
    );
  else if (command === 'health')
    adminAddressOf(
      rest.filter((word) => word !== '--ready'),
      env,
    );
  else if (command === 'backup') parseBackup(rest, env);
  else if (command === 'dlq') parseDlq(rest, env);
  else if (command === 'drain') adminAddressOf(parseDrain(rest).rest, {});
  else if (command === 'types') parseTypes(rest);
  else if (command === 'wave') parseWaveOptions(rest, refuseFormerName);
  else if (command === 'story') parseStoryOptions(rest, refuseFormerName);
  else throw new Error(`unknown subcommand ${command}`);
}

/** What is wrong with a command that the test does not run, or null. */
function faultOf(words: readonly string[]): string | null {
  const [first = '', second = '', third = ''] = words;
  if (first === 'npm') {
    if (['ci', 'install', 'outdated', 'pack'].includes(second)) return null;
    const script = second === 'run' ? third : second;
    return script in manifest.scripts ? null : `no npm script ${script}`;
  }
  if (first === 'curl') return null;
  const file = first === 'k6' && second === 'run' ? words.at(-1)! : second;
  if (first === 'node' || first === 'k6') {
    return existsSync(join(ROOT, file)) ? null : `no file ${file}`;
  }
  return 'neither run nor marked: put <!-- not run: reason --> above the block';
}

describe('command lines in the docs', () => {
  it('of forebay have known subcommands, options and values', () => {
    const faults: string[] = [];
    let checked = 0;
    for (const { page, line, text } of lines) {
      for (const { words, env } of commandsOf(text)) {
        const argv = forebayArguments(words);
        if (argv === null) continue;
        checked++;
        try {
          parseForebay(argv, env);
        } catch (error) {
          faults.push(`${page}:${line}: ${(error as Error).message}`);
        }
      }
    }
    assert.deepEqual(faults, []);
    assert.ok(checked > 20, `${checked}`);
  });

  it('of other programs name scripts and files that exist, or are marked as not run', () => {
    const faults: string[] = [];
    for (const { page, line, text } of lines) {
      for (const { words } of commandsOf(text)) {
        const fault = forebayArguments(words) === null ? faultOf(words) : null;
        if (fault !== null) faults.push(`${page}:${line}: ${text}: ${fault}`);
      }
    }
    assert.deepEqual(faults, []);
  });
});

describe('command lines in the docs, against a server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-docs-'));
  let forebay: ForebayProcess;

  before(async () => {
    // Commands without --data look at ./data.
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'shop.mjs'), 'export default () => {};\n');
    cpSync(join(ROOT, 'examples', 'contract'), join(folder, 'examples', 'contract'), {
      recursive: true,
    });
    forebay = await startForebay([], { data: join(folder, 'data') });
  });
  after(async () => {
    await forebay.kill9();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The line with the addresses of the server of this test in place of the default ones. */
  function hereOf(text: string): string {
    const addresses = [
      ['http://127.0.0.1:3000', forebay.url],
      ['http://127.0.0.1:3001', forebay.adminUrl],
    ] as const;
    return replaced(text, addresses, []);
  }

  const requests = distinct(lines.filter(({ text }) => /^curl\b/.test(text)));
  for (const { page, line, text } of requests) {
    it(`${page}:${line}: ${text}`, async () => {
      const { stdout } = await run('sh', ['-c', hereOf(text)], { cwd: folder });
      if (/ -i /.test(text)) assert.match(stdout, /^HTTP\/1\.1 [234]\d\d /);
      else assert.notEqual(stdout, '');
    });
  }

  // Without NATS, which is not started here.
  const questions = lines.filter(
    ({ text }) => /^npx forebay (dlq|check)\b/.test(text) && !text.includes('--nats'),
  );
  for (const { page, line, text } of distinct(questions)) {
    it(`${page}:${line}: ${text}`, async () => {
      const command = text.replace('npx forebay', `${process.execPath} ${MAIN}`);
      const code = await run('sh', ['-c', command], { cwd: folder }).then(
        () => 0,
        (error: { code: number }) => error.code,
      );
      assert.ok(code < USAGE, `exit code ${code}`);
    });
  }
});
