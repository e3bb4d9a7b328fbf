import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ASK, FAULT, VALID } from '../../src/schema/faults.js';
import { OrderScanner } from '../../src/schema/scanner.js';

const PLAIN = '{"product_id":"33","count":"3","username":"maksim.konovalov"}';
const SPACED = ' { "count" : "3" , "username" : "maksim.konovalov" , "product_id" : "33" } ';

/** Bodies that the scanner must decide, because clients or attackers send them often. */
const DECIDED: readonly [string, number][] = [
  [PLAIN, VALID],
  [SPACED, VALID],
  [PLAIN.replace('"3"', '"101"'), FAULT.countPattern],
  [PLAIN.replace('"3"', '"-1"'), FAULT.countPattern],
  [PLAIN.replace('"33"', '""'), FAULT.productIdPattern],
  [PLAIN.replace('"3"', '3'), FAULT.countType],
  [PLAIN.replace('"33"', 'null'), FAULT.productIdType],
  [PLAIN.replace('maksim.konovalov', ''), FAULT.usernameMinLength],
  [PLAIN.replace('maksim', 'k'.repeat(65)), FAULT.usernameMaxLength],
  [PLAIN.replace('maksim', 'максим'), VALID],
  [PLAIN.replace('maksim.konovalov', '😀'.repeat(64)), VALID],
  [PLAIN.replace('maksim.konovalov', '😀'.repeat(65)), FAULT.usernameMaxLength],
  [SPACED.replace('maksim', 'максим').replace('"3"', '"101"'), FAULT.countPattern],
  [PLAIN.replace('maksim', 'максим').slice(0, -2), FAULT.json],
  [PLAIN.replace('maksim', 'м\n'), FAULT.json],
  [PLAIN.replace('}', ',"extra":true}'), FAULT.additionalProperties],
  [PLAIN.replace('}', ',"count":"3"}'), FAULT.duplicate],
  ['{}', FAULT.requiredProductId],
  ['{"product_id":"33","username":"max"}', FAULT.requiredCount],
  ['', FAULT.json],
  [PLAIN.slice(0, 30), FAULT.json],
  [PLAIN.replace(':', ';'), FAULT.json],
  [`${PLAIN}}`, FAULT.json],
];

const ASKED = [
  PLAIN.replace('m', '\\u006d'),
  PLAIN.replace('count', 'c\\u006funt'),
  PLAIN.replace('maksim', 'м\\u0430ксим'),
  PLAIN.replace('maksim', 'м\u0085'),
  PLAIN.replace('count', 'cоunt'),
  PLAIN.replace('"3"', '"٣"'),
  `${PLAIN.replace('maksim', 'м').slice(0, -1)};é`,
  PLAIN.replace('"3"', '[]'),
  PLAIN.replace('"3"', '1.5'),
  PLAIN.replace('}', ',"a":1,"b":2}'),
  `[${PLAIN}]`,
  'nonsense',
  // Invalid JSON that may also be invalid UTF-8, which takes precedence.
  `${PLAIN}é`,
];

describe('OrderScanner', () => {
  const scanner = new OrderScanner();
  const scan = (body: string): number => {
    const bytes = new TextEncoder().encode(body);
    return scanner.scan(bytes, 0, bytes.length);
  };

  it('decides common bodies, valid and invalid, without the judge', () => {
    for (const [body, verdict] of DECIDED) assert.equal(scan(body), verdict, body);
  });

  it('returns ASK for what it cannot decide', () => {
    for (const body of ASKED) assert.equal(scan(body), ASK, body);
  });

  it('sets the offsets of the values in the bytes', () => {
    for (const body of [PLAIN, SPACED]) {
      const before = 'garbage';
      const bytes = new TextEncoder().encode(`${before}${body}garbage`);
      assert.equal(scanner.scan(bytes, before.length, before.length + body.length), VALID);
      const text = (start: number, end: number) =>
        new TextDecoder().decode(bytes.slice(start, end));
      const { spans } = scanner;
      assert.equal(text(spans.productIdStart, spans.productIdEnd), '33');
      assert.equal(text(spans.countStart, spans.countEnd), '3');
      assert.equal(text(spans.usernameStart, spans.usernameEnd), 'maksim.konovalov');
    }
  });
});
