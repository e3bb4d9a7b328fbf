import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Comparer, printable } from './fuzz.js';
import { orderFaults } from './order-faults.js';

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const username = (text: string): string => `{"product_id":"33","count":"3","username":"${text}"}`;
const count = (value: string): string => `{"product_id":"33","count":${value},"username":"max"}`;
const product = (value: string): string => `{"product_id":${value},"count":"3","username":"max"}`;

const PLAIN = username('maksim.konovalov');
const COMPACT_MAX = '{"product_id":"33","count":"3","username":"max"}';

/** Bodies as latin1 (one character per byte), and the canonical form of each. */
const VALID: readonly [string, string][] = [
  [PLAIN, PLAIN],
  [`\t\r\n ${PLAIN}\n`, PLAIN],
  ['{ "username" : "max" , "count" : "3" , "product_id" : "33" }', COMPACT_MAX],
  ['{"count":"3","username":"max","product_id":"33"}', COMPACT_MAX],
  ['{"c\\u006funt":"\\u0033","username":"m\\u0061x","product_id":"33"}', COMPACT_MAX],
  [count('"0"'), count('"0"')],
  [count('"100"'), count('"100"')],
  [product('"0"'), product('"0"')],
  [product('"100"'), product('"100"')],
  [username('k'), username('k')],
  [username(' '), username(' ')],
  [username('k'.repeat(64)), username('k'.repeat(64))],
  [username('{}[]:,'), username('{}[]:,')],
  [username('\\"\\\\\\/'), username('\\"\\\\/')],
  [username(utf8('максим')), username(utf8('максим'))],
  [username(utf8('😀'.repeat(64))), username(utf8('😀'.repeat(64)))],
  [username('\\ud83d\\ude00'), username(utf8('😀'))],
  [username(utf8('\u2028\u2029')), username(utf8('\u2028\u2029'))],
  [username('\\u2028'), username(utf8('\u2028'))],
  [username(utf8('\ufeff')), username(utf8('\ufeff'))],
];

/** Bodies as latin1, and the reported fault: the first in order of precedence. */
const INVALID: readonly [string, string][] = [
  [username('\xff'), '/ utf8'],
  [username('\xc0\xaf'), '/ utf8'],
  [username('\xe0\x80\xaf'), '/ utf8'],
  [username('\xed\xa0\xbd\xed\xb8\x80'), '/ utf8'],
  [username('\xf4\x90\x80\x80'), '/ utf8'],
  [username(utf8('😀').slice(0, 3)), '/ utf8'],
  ['\x80', '/ utf8'],
  [`nonsense \xff`, '/ utf8'],
  [`${PLAIN}\xff`, '/ utf8'],

  ['', '/ json'],
  [' \n', '/ json'],
  ['nonsense', '/ json'],
  ['{', '/ json'],
  ['{"', '/ json'],
  [PLAIN.slice(0, -1), '/ json'],
  [`${PLAIN}}`, '/ json'],
  [`${PLAIN}\0`, '/ json'],
  [`${PLAIN}\f`, '/ json'],
  [`${PLAIN}${utf8('\u00a0')}`, '/ json'],
  [utf8('\ufeff') + PLAIN, '/ json'],
  [PLAIN.replace('}', ',}'), '/ json'],
  [PLAIN.replaceAll('"', "'"), '/ json'],
  [PLAIN.replace(',', ' '), '/ json'],
  [PLAIN.replace(':', ' '), '/ json'],
  [username('a\nb'), '/ json'],
  [username('\0'), '/ json'],
  [username('\\x'), '/ json'],
  [username('\\u12'), '/ json'],
  [count('03'), '/ json'],
  [count('+3'), '/ json'],
  [count(''), '/ json'],
  [count('NaN'), '/ json'],
  // Invalid JSON takes precedence over a broken rule earlier in the text.
  ['{"product_id":"101","count":3,"username":"max",}', '/ json'],

  ['['.repeat(65) + ']'.repeat(65), '/ depth'],
  [count(`${'{"a":'.repeat(64)}{}${'}'.repeat(64)}`), '/ depth'],
  // The depth takes precedence over duplicate names and over the rules.
  [`{"count":1,"count":2,"a":${'['.repeat(64)}${']'.repeat(64)}}`, '/ depth'],
  [`{"a":${'['.repeat(63)}${']'.repeat(63)}}`, '/ required product_id'],

  ['{"product_id":"1","product_id":"1","count":"3","username":"max"}', '/ duplicate'],
  ['{"product_id":"101","count":"3","username":"","count":"3"}', '/ duplicate'],
  ['{"count":"3","c\\u006funt":"3","product_id":"33","username":"max"}', '/ duplicate'],
  ['{"\\u0061":1,"a":2}', '/ duplicate'],
  ['{"__proto__":1,"__proto__":2}', '/ duplicate'],
  ['[{"a":1,"a":1}]', '/ duplicate'],
  [PLAIN.replace('}', ',"a":{"a":1,"a":2}}'), '/ duplicate'],
  [count('{"count":"3","count":"3"}'), '/ duplicate'],
  ['{"__proto__":{},"\\u005f_proto__":{}}', '/ duplicate'],
  [`{${'"product_id":"1",'.repeat(9)}"username":"u"}`, '/ duplicate'],

  ['null', '/ type'],
  ['3', '/ type'],
  ['"max"', '/ type'],
  [`[${PLAIN}]`, '/ type'],
  ['[{"a":1,"b":1}]', '/ type'],

  ['{}', '/ required product_id'],
  ['{ }', '/ required product_id'],
  ['{"a":1}', '/ required product_id'],
  ['{"product_id":"33"}', '/ required count'],
  ['{"product_id":"101","count":"101"}', '/ required username'],
  ['{"__proto__":{"username":"max"},"product_id":"33","count":"3"}', '/ required username'],
  ['{"product_id":"33","Count":"3","username":"max"}', '/ required count'],

  [PLAIN.replace('}', ',"a":1}'), '/ additionalProperties'],
  [PLAIN.replace('}', ',"a":{"a":1,"b":2}}'), '/ additionalProperties'],
  [PLAIN.replace('}', ',"__proto__":null}'), '/ additionalProperties'],
  [PLAIN.replace('}', ',"":"","a":""}'), '/ additionalProperties'],
  [PLAIN.replace('"3"', '"101"').replace('}', ',"constructor":1}'), '/ additionalProperties'],

  [product('33'), '/product_id type'],
  [product('null'), '/product_id type'],
  [product('"101"'), '/product_id pattern'],
  [product('"101"').replace('"3"', '3'), '/product_id pattern'],
  [count('3'), '/count type'],
  [count('1e2'), '/count type'],
  [count('-0'), '/count type'],
  [count('true'), '/count type'],
  [count('["3"]'), '/count type'],
  [count('{"count":"3"}'), '/count type'],
  [count('"101"'), '/count pattern'],
  [count('"-1"'), '/count pattern'],
  [count('"+1"'), '/count pattern'],
  [count('"01"'), '/count pattern'],
  [count('"00"'), '/count pattern'],
  [count('"1e2"'), '/count pattern'],
  [count('"1.0"'), '/count pattern'],
  [count('""'), '/count pattern'],
  [count('" 3"'), '/count pattern'],
  [count('"3\\n"'), '/count pattern'],
  [count(`"${utf8('٣')}"`), '/count pattern'],
  [count('"1000"'), '/count pattern'],

  [PLAIN.replace('"maksim.konovalov"', '7'), '/username type'],
  [username('k'.repeat(65)), '/username maxLength'],
  [username(utf8('😀'.repeat(65))), '/username maxLength'],
  [username('\\u0000'.repeat(65)), '/username maxLength'],
  [username(''), '/username minLength'],
  [username('\\u0000'), '/username pattern'],
  [username('\\n'), '/username pattern'],
  [username('\x7f'), '/username pattern'],
  [username('\\u007f'), '/username pattern'],
  [username(utf8('\u0085')), '/username pattern'],
  [username('\\u009F'), '/username pattern'],
  [username('\\ud800'), '/username pattern'],
  [username('\\ude00\\ud83d'), '/username pattern'],
  [username('\\ud83d\\ud83d\\ude00'), '/username pattern'],
];

describe('the order contract, body by body', () => {
  const comparer = new Comparer();

  for (const [body, compact] of VALID) {
    it(`accepts ${printable(body)}`, () => {
      const canonical = Buffer.from(compact, 'latin1').toString();
      const judgement = comparer.compare(body);
      assert.ok('compact' in judgement);
      assert.deepEqual(JSON.parse(judgement.compact), JSON.parse(canonical));
      assert.equal(judgement.canonical, canonical);
    });
  }

  for (const [body, fault] of INVALID) {
    it(`refuses ${printable(body)} for ${fault}`, () => {
      assert.deepEqual(comparer.compare(body), { fault });
    });
  }

  it('has an example of every fault', () => {
    const shown = new Set(INVALID.map(([, fault]) => fault));
    assert.deepEqual(
      orderFaults.filter((text) => !shown.has(text)),
      [],
    );
  });
});
