import type { Random } from '../../../drills/ledger/random.js';

const NAMES = [
  ...[
    'a',
    'b',
    'id',
    'kind',
    'type',
    'items',
    'next',
    'x-a',
    'order_id',
    'Id',
    '0',
    '10',
    'é',
    'имя',
    '😀',
    '',
  ],
  ...[
    'a b',
    'a"b',
    'a\\b',
    'a/b',
    'a~b',
    '%',
    '__proto__',
    'constructor',
    'toString',
    'valueOf',
    'length',
  ],
  ...[
    'name\n',
    '\u2028',
    '\x7f',
    '\0',
    'a_rather_long_name_of_a_member_that_does_not_fit_in_a_word',
  ],
];

const TEXTS = [
  ...[
    '',
    'a',
    'b',
    'ab',
    'abc',
    'card',
    'x',
    '0',
    '1',
    '42',
    '100',
    'EUR',
    'evt_1234',
    'a b',
    'foo',
  ],
  ...[
    'é',
    'ж',
    'Максим',
    '😀',
    '😀😀',
    '\u2028',
    '\ufeff',
    '\x7f',
    '\x85',
    '\0',
    '\n',
    '"',
    '\\',
    '/',
    'a"b\\c',
  ],
  ...['\ud800', '\ude00\ud83d', 'null', 'true', 'é'],
];

const NUMBERS = [
  ...[
    0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 42, 99, 100, 101, -1, -2, -5, 0.5, 1.5, 2.5, -0.5, 0.1, 0.3,
    12.5,
  ],
  ...[
    1e9,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 53,
    2 ** 53 + 2,
    1e21,
    1e300,
    5e-324,
    -1e-7,
    0.01,
    19.99,
    1.1,
    1e-7,
  ],
];

/** Texts of each format, right and nearly right. */
const FORMATTED: readonly string[] = [
  ...[
    '2026-11-28T15:31:00Z',
    '2026-11-28t15:31:00.123+01:00',
    '2026-02-29T00:00:00Z',
    '2024-02-29T23:59:60Z',
  ],
  ...[
    '2026-11-28',
    '2026-13-01',
    '2026-2-1',
    '23:59:59Z',
    '23:59:60Z',
    '24:00:00Z',
    '12:00:00',
    '12:00:00+24:00',
  ],
  ...['a@b.co', 'a.b+c@d-e.org', 'a@b', 'a@@b.co', '@b.co', 'é@b.co', 'a@-b.co'],
  ...[
    '123e4567-e89b-12d3-a456-426614174000',
    'URN:UUID:123E4567-E89B-12D3-A456-426614174000',
    '123e4567',
  ],
  ...[
    'http://example.com/a?b=c#d',
    'mailto:a@b.co',
    '/relative',
    'http://a b',
    'http://[::1]:80/',
    'http://é.com',
  ],
  ...[
    '127.0.0.1',
    '256.0.0.1',
    '1.2.3',
    '01.2.3.4',
    '::1',
    '1::2::3',
    'fe80::1',
    '::ffff:1.2.3.4',
    '12345::',
  ],
  ...['example.com', 'a-.com', '-a.com', 'a.b.', 'xn--bcher-kva.example', `${'a'.repeat(64)}.com`],
  ...['P1D', 'PT1H', 'P', 'P1W', '/a/b~0', '/a/~2', 'YQ==', 'YQ=', '2026-11-28 12:00:00'],
];

export function randomName(random: Random): string {
  return random.once(6) ? random.pick(NAMES) : random.pick(NAMES.slice(0, 10));
}

export function randomText(random: Random): string {
  if (random.once(5)) return random.pick(FORMATTED);
  if (random.once(8)) return random.pick(TEXTS).repeat(1 + random.below(40));
  return random.once(3) ? random.pick(TEXTS) + random.pick(TEXTS) : random.pick(TEXTS);
}

export function randomFormatted(random: Random): string {
  return random.pick(FORMATTED);
}

export function randomNumber(random: Random): number {
  return random.once(4) ? random.below(200) - 50 : random.pick(NUMBERS);
}

export function randomScalar(random: Random): unknown {
  switch (random.below(6)) {
    case 0:
      return random.once(2);
    case 1:
      return null;
    case 2:
    case 3:
      return randomNumber(random);
    default:
      return randomText(random);
  }
}

/** A value as JSON.parse returns it; `depth` more levels may follow. */
export function randomValue(random: Random, depth: number): unknown {
  if (depth === 0 || !random.once(3)) return randomScalar(random);
  const count = random.below(4);
  if (random.once(2)) return Array.from({ length: count }, () => randomValue(random, depth - 1));
  return Object.fromEntries(
    Array.from({ length: count }, () => [randomName(random), randomValue(random, depth - 1)]),
  );
}
