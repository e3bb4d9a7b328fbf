import assert from 'node:assert/strict';
import { it } from 'node:test';
import { batchFormat, handlingOf } from '../../src/intake/batch-head.js';
import { BatchSlices, TOO_MANY } from '../../src/intake/batch-slices.js';
import { randomFrom } from '../memory/random.js';

const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);
const ORDERS_MAX = 8;

/** The slices of `text`; null if it is refused. Behind the body are the rests of a longer one. */
function split(text: string, how: 'splitArray' | 'splitLines', ordersMax = ORDERS_MAX) {
  const body = Buffer.from(text);
  const bytes = Uint8Array.from(Buffer.concat([body, Buffer.from(']\n}"rest')]));
  const slices = new BatchSlices(ordersMax);
  const fault = slices[how](bytes, body.length);
  const texts = Array.from({ length: slices.count }, (_, i) =>
    Buffer.from(bytes.subarray(slices.starts[i], slices.ends[i])).toString(),
  );
  return { fault, texts, lines: [...slices.lines.subarray(0, slices.count)] };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const PARTS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\"',
  '"a"',
  '"]}"',
  '1',
  'true',
  ' ',
  '\n',
];

function randomValue(random: (n: number) => number, depth: number): string {
  const kind = random(depth > 3 ? 3 : 5);
  if (kind === 0) return String(random(100));
  if (kind === 1) return JSON.stringify(['a', '],{"', '\\', '"', '\\"', 'Ж🛒'][random(6)]);
  if (kind === 2) return ['null', 'true', '-1.5e3'][random(3)]!;
  const space = () => ['', ' ', '\r\n\t'][random(3)]!;
  const items = Array.from({ length: random(4) }, (_, i) => {
    const value = `${space()}${randomValue(random, depth + 1)}${space()}`;
    return kind === 3 ? value : `${space()}"${'k"'.slice(0, 1)}${i}"${space()}:${value}`;
  });
  return kind === 3 ? `[${items.join(',')}]` : `{${items.join(',')}}`;
}

it('arrays: it finds the items that JSON.parse finds, and refuses what is no array', (t) => {
  t.diagnostic(`FOREBAY_SEED=${seed}`);
  const random = randomFrom(seed);
  let arrays = 0;
  for (let round = 0; round < 30_000; round++) {
    const items = Array.from({ length: random(5) }, () => randomValue(random, 0));
    let text = `${['', ' ', '\n'][random(3)]}[${items.join(' ,\t')}]${['', '\r\n '][random(2)]}`;
    for (let edits = random(3); edits > 0; edits--) {
      const characters = [...text];
      characters.splice(random(characters.length + 1), random(3), PARTS[random(PARTS.length)]!);
      text = characters.join('');
    }
    const { fault, texts } = split(text, 'splitArray', 1000);
    const isArray = isJson(text) && Array.isArray(JSON.parse(text));
    if (isArray) {
      arrays++;
      assert.equal(fault, '', text);
      assert.deepEqual(
        texts.map((item) => JSON.parse(item) as unknown),
        JSON.parse(text),
        text,
      );
    } else {
      assert.ok(fault !== '' || !texts.every(isJson), text);
    }
    if (isJson(text) && !isArray) assert.equal(fault, '/ type', text);
  }
  assert.ok(arrays > 5000, `${arrays} arrays`);
});

it('a deep array takes linear time and no stack', () => {
  const deep = `[${'['.repeat(500_000)}${']'.repeat(500_000)}]`;
  assert.equal(split(deep, 'splitArray').texts.length, 1);
  assert.equal(split('['.repeat(1_000_000), 'splitArray').fault, '/ json');
  assert.equal(split(`[${'"\\'.repeat(500_000)}`, 'splitArray').fault, '/ json');
});

it('lines: empty ones are left out and count as lines', () => {
  const { fault, texts, lines } = split('\r\n{}\r\n\n  \t\n[1]\n"a"', 'splitLines');
  assert.equal(fault, '');
  assert.deepEqual(
    texts.map((text) => text.trim()),
    ['{}', '[1]', '"a"'],
  );
  assert.deepEqual(lines, [2, 5, 6]);
  assert.deepEqual(split('', 'splitLines').texts, []);
  assert.deepEqual(split('{}', 'splitLines').texts, ['{}']);
});

it('both stop at the bound', () => {
  const many = Array.from({ length: ORDERS_MAX }, () => '1');
  assert.equal(split(many.join('\n'), 'splitLines').fault, '');
  assert.equal(split([...many, 1].join('\n'), 'splitLines').fault, TOO_MANY);
  assert.equal(split(`[${many.join()}]`, 'splitArray').fault, '');
  assert.equal(split(`[${[...many, 1].join()}]`, 'splitArray').fault, TOO_MANY);
});

it('reads the media type and the header Prefer', () => {
  assert.equal(batchFormat('application/x-ndjson; charset=utf-8'), 'lines');
  assert.equal(batchFormat('APPLICATION/JSON'), 'array');
  assert.equal(batchFormat('application/json-seq'), null);
  for (const [prefer, handling] of [
    ['', ''],
    ['handling=lenient', 'lenient'],
    ['respond-async, wait=5, Handling = "Lenient" ; a=b', 'lenient'],
    ['handling=strict, handling=lenient', 'strict'],
    ['handling=other', ''],
    ['handling', ''],
    ['handling="lenient', ''],
    ['xhandling=lenient', ''],
  ] as const) {
    assert.equal(handlingOf(prefer), handling, prefer);
  }
});
