import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Comparer, fuzz } from './fuzz.js';
import { orderFaults } from './order-faults.js';

const BODIES = 40_000;

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const PLAIN = '{"product_id":"33","count":"100","username":"maksim.konovalov"}';
const SPACED = '\n{ "username" : "a b" ,\t"count" : "3" , "product_id" : "0" }\r\n';
const ODD = utf8('{"us\\u0065rname":"😀\\ud83d\\ude00ж","count":"\\u0033","product_id":"9"}');

describe('validator and reference', () => {
  it('agree on random bodies between random bytes', () => {
    const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 32);
    console.log(`FOREBAY_SEED=${seed}`);
    const { tally } = fuzz(BODIES, seed);
    const expected = ['valid', ...orderFaults];
    assert.deepEqual([...tally.keys()].sort(), expected.sort(), 'every judgement occurs');
  });

  it('agree on a body that is cut anywhere, with the rest directly behind', () => {
    const comparer = new Comparer();
    for (const body of [PLAIN, SPACED, ODD]) {
      for (let at = 0; at <= body.length; at++) {
        comparer.compare(body.slice(0, at), '', body.slice(at));
        comparer.compare(body.slice(at), body.slice(0, at), '');
      }
    }
  });

  it('agree on a body with any byte replaced, added or removed', () => {
    const comparer = new Comparer();
    for (const body of [PLAIN, SPACED]) {
      for (let at = 0; at <= body.length; at++) {
        const [head, tail] = [body.slice(0, at), body.slice(at)];
        comparer.compare(head + tail.slice(1));
        for (let byte = 0; byte < 256; byte++) {
          const c = String.fromCharCode(byte);
          comparer.compare(head + c + tail.slice(1));
          // Added bytes are sampled, because all of them would take too long.
          if (byte % 8 === at % 8) comparer.compare(head + c + tail);
        }
      }
    }
  });

  it('agree on usernames with every character of the first planes, raw and escaped', () => {
    const comparer = new Comparer();
    for (let code = 0; code <= 0xffff; code += code < 0x2100 ? 1 : 0x7f) {
      const escaped = `\\u${code.toString(16).padStart(4, '0')}`;
      comparer.compare(PLAIN.replace('maksim', escaped));
      comparer.compare(PLAIN.replace('maksim', utf8(String.fromCodePoint(code))));
      comparer.compare(PLAIN.replace('maksim', utf8(String.fromCodePoint(0x10000 + code))));
    }
  });

  it('agree on every number of one to three digits, and on similar strings', () => {
    const comparer = new Comparer();
    for (let number = -1; number < 1000; number++) {
      for (const text of [`${number}`, `0${number}`, `${number} `]) {
        comparer.compare(PLAIN.replace('"33"', `"${text}"`));
        comparer.compare(PLAIN.replace('"100"', `"${text}"`));
        comparer.compare(PLAIN.replace('"100"', text));
      }
    }
  });
});
