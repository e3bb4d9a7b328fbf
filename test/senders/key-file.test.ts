import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keyLine, newKey, parseKeyFile, sha256Of } from '../../src/senders/key-file.js';
import { runForebay } from '../support/forebay.js';

const A = 'a'.repeat(64);
const B = 'B'.repeat(64);

describe('a file of keys', () => {
  it('has a name, the SHA-256 of a key and a limit in each line', () => {
    const text = `\ufeff# keys\r\n\r\nacme ${A}\r\n  globex\t${B}   rps=50  \n#acme x\nacme ${'c'.repeat(64)}`;
    assert.deepEqual(parseKeyFile(text), [
      { name: 'acme', sha256: A, rps: 0 },
      { name: 'globex', sha256: B.toLowerCase(), rps: 50 },
      { name: 'acme', sha256: 'c'.repeat(64), rps: 0 },
    ]);
  });

  it('is refused with the line, without quoting what may be a key', () => {
    const many = Array.from({ length: 1001 }, (_, i) => {
      return `n${i} ${i.toString(16).padStart(64, '0')}`;
    });
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /it has no key/],
      ['# none\n\n', /it has no key/],
      ['acme', /^line 1: the name must be followed by the SHA-256/],
      [`\nacme fbk_secret`, /^line 2: .*SHA-256/],
      [`acme ${A}0`, /SHA-256/],
      [`acme ${A.slice(1)}g`, /SHA-256/],
      [`fbk_secret/x ${A}`, /the name must be/],
      [`-x ${A}`, /the name must be/],
      [`${'x'.repeat(65)} ${A}`, /the name must be/],
      [`other ${A}`, /and not other/],
      [`acme ${A} rps=0`, /only rps=N/],
      [`acme ${A} rps=1000001`, /only rps=N/],
      [`acme ${A} rps=1.5`, /only rps=N/],
      [`acme ${A} rps=-1`, /only rps=N/],
      [`acme ${A} fbk_secret`, /only rps=N/],
      [`acme ${A} rps=1 rps=2`, /only rps=N/],
      [`acme ${A}\nglobex ${A.toUpperCase()}`, /line 2 has the same key as line 1/],
      [`acme ${A} rps=1\nacme ${B}`, /line 2 has the name of line 1 and another rps/],
      [many.join('\n'), /more than 1000 keys/],
      [
        many
          .slice(0, 5)
          .map((line) => `${line} rps=1000000`)
          .join('\n'),
        /together/,
      ],
    ];
    for (const [text, why] of cases) {
      assert.throws(
        () => parseKeyFile(text),
        ({ message }: Error) => why.test(message) && !message.includes('fbk_'),
        text.slice(0, 100),
      );
    }
  });

  it('reads the lines that are written', () => {
    for (const rps of [0, 1, 1_000_000]) {
      const key = { name: 'a.b-c_1', sha256: sha256Of(newKey()), rps };
      assert.deepEqual(parseKeyFile(keyLine(key)), [key]);
    }
  });
});

describe('forebay keys new', () => {
  it('prints a key, and the line with its SHA-256', async () => {
    const { code, stdout } = await runForebay(['keys', 'new', 'acme', '--rps', '50']);
    assert.equal(code, 0);
    const [, key, line] = /^key: {2}(fbk_[\w-]{43})\nline: (.*)\n$/.exec(stdout)!;
    assert.deepEqual(parseKeyFile(line!), [{ name: 'acme', sha256: sha256Of(key!), rps: 50 }]);
    const again = await runForebay(['keys', 'new', 'acme']);
    assert.ok(!again.stdout.includes(key!));
    assert.ok(!again.stdout.includes('rps'));
  });

  it('refuses what is wrong with one line and exit code 2', async () => {
    for (const args of [
      [],
      ['old'],
      ['new'],
      ['new', 'a b'],
      ['new', 'other'],
      ['new', 'a', 'b'],
      ['new', 'a', '--rps', '0'],
      ['new', 'a', '--rps', 'x'],
      ['new', 'a', '--rps'],
      ['new', 'a', '--color'],
    ]) {
      const { code, stdout, stderr } = await runForebay(['keys', ...args]);
      assert.equal(code, 2, args.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, /^forebay: .*\n$/);
    }
  });
});
