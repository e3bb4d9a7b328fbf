import assert from 'node:assert/strict';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { schema } from '../../src/options/schema.js';
import { flagName } from '../../src/options/spec.js';
import { runForebay } from '../support/forebay.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** The smallest terminal in common use. */
const SCREEN = { lines: 24, columns: 80 };

async function printed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runForebay(args);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  return stdout;
}

describe('forebay --help', () => {
  let overview: string;
  before(async () => {
    overview = await printed('--help');
  });

  const commands = () =>
    Array.from(overview.matchAll(/^ {2}forebay ([a-z]+) {2,}\S/gm), ([, name]) => name!);

  it('fits a screen', () => {
    const lines = overview.trimEnd().split('\n');
    assert.ok(lines.length <= SCREEN.lines, `${lines.length} lines`);
    for (const line of lines) assert.ok(line.length <= SCREEN.columns, line);
  });

  it('names options that exist', () => {
    const known = [...Object.keys(schema).map(flagName), 'help', 'version'];
    const named = Array.from(overview.matchAll(/--([a-z-]+)/g), ([, name]) => name!);
    assert.ok(named.length > 8);
    assert.deepEqual(
      named.filter((name) => !known.includes(name)),
      [],
    );
  });

  it('is also printed by help and -h', async () => {
    assert.equal(await printed('help'), overview);
    assert.equal(await printed('-h'), overview);
  });

  it('lists the commands, and each has help with examples and exit codes', async () => {
    assert.ok(commands().length >= 4);
    for (const name of ['serve', 'check', 'wave', 'dlq'])
      assert.ok(commands().includes(name), name);
    for (const name of commands()) {
      const help = await printed(name, '--help');
      assert.ok(help.startsWith(`forebay ${name}`), help);
      const examples = section(help, 'Examples');
      assert.match(examples, new RegExp(`^ +(FOREBAY_\\w+=\\S+ )?forebay ${name}`, 'm'), name);
      const codes = Array.from(section(help, 'Exit codes').matchAll(/^ {2}(\d+) {2,}\S/gm));
      // Docker keeps code 2 of a health check for itself.
      const wanted = name === 'health' ? ['0', '1'] : ['0', '1', '2'];
      assert.ok(
        wanted.every((code) => codes.some(([, found]) => found === code)),
        name,
      );
      for (const line of help.split('\n')) assert.ok(line.length <= SCREEN.columns, line);
      assert.equal(await printed('help', name), help);
      assert.equal(await printed(name, 'help'), help);
    }
  });
});

/** The text from a heading to the next blank line. @throws AssertionError there is no such heading */
function section(help: string, heading: string): string {
  const found = new RegExp(`^${heading}\\n((?: .*\\n)+)`, 'm').exec(help);
  assert.ok(found !== null, `no section ${heading}:\n${help}`);
  return found[1]!;
}

describe('forebay', () => {
  // npm sets it once, when it links the command; then npx in a clone fails after dist is built from scratch.
  it('the build makes the command executable', () => {
    accessSync(join(ROOT, 'dist', 'src', 'main.js'), constants.X_OK);
  });

  it('--version prints the version of package.json', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    assert.equal(await printed('--version'), `forebay ${version}\n`);
  });

  for (const [typed, meant] of [
    ['sevre', 'serve'],
    ['chekc', 'check'],
    ['toString', null],
    ['frobnicate', null],
  ] as const) {
    it(`${typed}: one line that suggests ${meant ?? '--help'}, and exit code 2`, async () => {
      const fix = meant === null ? 'see --help' : `did you mean ${meant}\\?`;
      for (const args of [[typed], [typed, '--help'], ['help', typed]]) {
        const { code, stdout, stderr } = await runForebay(args);
        assert.equal(code, 2);
        assert.equal(stdout, '');
        assert.match(stderr, new RegExp(`^forebay: .*"${typed}".*${fix}\\n$`));
      }
    });
  }
});
