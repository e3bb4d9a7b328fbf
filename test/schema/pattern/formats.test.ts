import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { Random } from '../../../drills/ledger/random.js';
import { matchEnd } from '../../../src/schema/pattern/byte-dfa.js';
import { PatternCompiler } from '../../../src/schema/pattern/compiler.js';
import { compileFormat } from '../../../src/schema/pattern/formats.js';
import { FORMAT_TEXTS, mutate } from './format-texts.js';

const MUTANTS = 15_000;
const compiler = new PatternCompiler();

/** The formats that have a function for their verdict: it may leave rare texts to ajv. */
const LEFT_TO_AJV = /[^ -~]|9{14}/;

function checkOf(name: string): (text: string) => boolean {
  const check = compileFormat(name, compiler);
  if ('why' in check) assert.fail(`${name}: ${check.why}`);
  return (text) => {
    // A second string follows, which must not be read.
    const bytes = Buffer.from(`${text}"00:00:00Z"`);
    const end = 'end' in check ? check.end(bytes, 0) : matchEnd(check, bytes, 0);
    if (end >= 0) assert.equal(end, Buffer.byteLength(text) + 1, `the end of ${text}`);
    return end >= 0;
  };
}

function oracleOf(name: string): (text: string) => boolean {
  const format = fullFormats[name as 'uuid'];
  if (format === true) return () => true;
  if (format instanceof RegExp) return (text) => format.test(text);
  const validate = (
    typeof format === 'function' ? format : (format as { validate: unknown }).validate
  ) as (text: string) => boolean;
  return (text) => validate(text);
}

describe('formats have the verdicts of ajv-formats', () => {
  const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 32);
  console.log(`FOREBAY_SEED=${seed}`);
  const random = new Random(seed);
  for (const [name, texts] of Object.entries(FORMAT_TEXTS)) {
    it(name, () => {
      const check = checkOf(name);
      const oracle = oracleOf(name);
      const all = [...texts];
      for (let count = 0; count < MUTANTS; count += 1) all.push(mutate(random, random.pick(texts)));
      let validCount = 0;
      for (const text of all.filter((text) => !/["\\]/.test(text))) {
        const expected = oracle(text);
        if (expected) validCount += 1;
        if (check(text) === expected) continue;
        if (expected && /time/.test(name) && LEFT_TO_AJV.test(text)) continue;
        assert.fail(`${JSON.stringify(text)}: ajv-formats says ${expected}`);
      }
      assert.ok(validCount > 0);
    });
  }

  it('every format for strings but regex is compared', () => {
    const strings = Object.entries(fullFormats).filter(
      ([, format]) => (format as { type?: string }).type !== 'number',
    );
    const names = strings.map(([name]) => name).filter((name) => name !== 'regex');
    assert.deepEqual(Object.keys(FORMAT_TEXTS).sort(), names.sort());
  });

  it('every date of 400 years', () => {
    const check = checkOf('date');
    const oracle = oracleOf('date');
    for (let year = 1900; year < 2300; year += 1) {
      for (let month = 0; month <= 13; month += 1) {
        for (let day = 0; day <= 32; day += 1) {
          const text = [`${year}`, `${month}`.padStart(2, '0'), `${day}`.padStart(2, '0')].join(
            '-',
          );
          assert.equal(check(text), oracle(text), text);
        }
      }
    }
  });

  it('every time at the edges with every offset at the edges', () => {
    const check = checkOf('time');
    const oracle = oracleOf('time');
    const hours = ['00', '01', '12', '22', '23', '24', '25', '46', '47', '99'];
    const minutes = ['00', '01', '29', '30', '58', '59', '60', '61', '99'];
    const seconds = ['00', '59', '60', '61', '60.5', '59.9999999999999', '60.9999999999999'];
    const offsets = ['', 'Z', 'z'];
    for (const sign of '+-') {
      for (const hour of ['00', '01', '12', '22', '23', '24']) {
        offsets.push(sign + hour);
        for (const minute of minutes)
          offsets.push(`${sign}${hour}${minute}`, `${sign}${hour}:${minute}`);
      }
    }
    for (const hour of hours) {
      for (const minute of minutes) {
        for (const second of seconds) {
          for (const offset of offsets) {
            const text = `${hour}:${minute}:${second}${offset}`;
            assert.equal(check(text), oracle(text), text);
          }
        }
      }
    }
  });
});

describe('the regular expressions that ajv-formats does not export', () => {
  it('are those in its source', () => {
    const path = createRequire(import.meta.url).resolve('ajv-formats/dist/formats.js');
    const source = readFileSync(path, 'utf8');
    const own = readFileSync(
      new URL('../../../src/schema/pattern/formats.js', import.meta.url),
      'utf8',
    );
    for (const name of ['uri', 'byte']) {
      const [literal] = new RegExp(`(?<=const ${name.toUpperCase()} = )/.*/`).exec(source)!;
      assert.ok(own.includes(literal), name);
    }
  });
});

describe('a format without a check', () => {
  it('says why', () => {
    for (const name of ['regex', 'int32', 'unknown', '__proto__', 'toString']) {
      assert.ok('why' in compileFormat(name, compiler), name);
    }
  });
});
