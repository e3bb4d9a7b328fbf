import type { Random } from '../../drills/ledger/random.js';

/**
 * Parts of bodies as latin1 text, one character per byte, so that invalid UTF-8 can be written too.
 */
const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const SPACES = ['', '', '', '', ' ', '\n', '\r\n', '\t', '  \n\t '];
const NOT_SPACES = ['\f', '\v', utf8('\u00a0'), utf8('\u2028'), utf8('\ufeff'), '\0', '\x85'];

const NUMBERS = [
  '0,1,3,9,10,42,99,100,101,00,01,010,007,-0,-1,+1,1000,3.0,1e2,0x10, 3,3 ,,a,3a,٣',
  '100000000000000000000,\\u0033,\\u00331,1\\u00300,\\u0031\\u0030\\u0031,3\\n,99\\u0000',
]
  .join(',')
  .split(',')
  .map(utf8);

const ESCAPES = ['\\u0061', '\\"', '\\\\', '\\/', '\\b', '\\n', '\\u0000', '\\u007F', '\\u009f'];
const SURROGATES = ['\\ud800', '\\uDFFF', '\\ud83d\\ude00', '\\ude00\\ud83d', '\\ud83d\\u0061'];
const BAD_ESCAPES = ['\\', '\\x', '\\u12', '\\u00g0', '\\U0041'];
const TEXTS = ['é', 'ж', '€', '😀', '\u2028', '\u2029', '\u0085', '\ufeff', '\uffff', 'é'].map(
  utf8,
);
/** Truncated, stray and overlong sequences, above U+10FFFF, and surrogates as in CESU-8. */
const NOT_UTF8 = [
  '\x80,\xff,\xc3,\xe2\x82,\xf0\x9f\x98,\xc0\x80,\xc0\xaf,\xc1\xbf,\xe0\x80\xaf,\xf0\x80\x80\xaf',
  '\xed\xa0\x80,\xed\xbf\xbf,\xed\xa0\xbd\xed\xb8\x80,\xf4\x90\x80\x80,\xf8\x88\x80\x80\x80',
]
  .join(',')
  .split(',');
const CONTROLS = ['\0', '\x01', '\n', '\t', '\x1f', '\x7f', utf8('\u0080'), utf8('\u009f')];
const ODD_CHARS = [ESCAPES, SURROGATES, BAD_ESCAPES, TEXTS, NOT_UTF8, CONTROLS].flat();

const VALUES = [
  '0,1,33,-1,-0,01,1.5,1e2,1E+2,1.,.5,+1,-,--1,0x1,1e,NaN,Infinity,true,false,null,nul,truee',
  '{},[],{"a":1},["3"],[,{"count":"3"},[[[]]],undefined,\'3\'',
]
  .join(',')
  .split(',');

const NAMES = ['product_id', 'count', 'username'] as const;
const ALIASES = ['\\u0070roduct_id', 'product\\u005fid', 'c\\u006Funt', 'usern\\u0061me'];
const OTHER_NAMES = [
  ',a,id,__proto__,\\u005f_proto__,constructor,toString,0,1,Count,count ,counts,usernam,productId',
  'product-id,product_iD,product_idd,a\\,\\u0000',
]
  .join(',')
  .split(',')
  .concat(utf8('имя'), '\xff', '\x7f', '\n');

/** A random body as latin1 text, usually nearly valid, with some of the parts above. */
export function randomBody(random: Random): string {
  if (random.once(50)) return random.pick(WHOLE);
  const odd = random.once(3) ? 0 : 12;
  const names: string[] = [...NAMES];
  while (odd > 0 && random.once(5)) names.push(randomName(random));
  if (odd > 0 && random.once(12)) names.splice(random.below(names.length), 1);
  for (let i = names.length - 1; i > 0; i--) {
    const j = random.once(2) ? i : random.below(i + 1);
    [names[i], names[j]] = [names[j], names[i]];
  }
  const spaced = random.once(2);
  const space = (): string => {
    if (odd > 0 && random.once(150)) return random.pick(NOT_SPACES);
    return spaced ? random.pick(SPACES) : '';
  };
  const members = names.map((name) => {
    const spelling = odd > 0 && random.once(40) ? random.pick(ALIASES) : name;
    return `${space()}"${spelling}"${space()}:${space()}${randomValue(random, name, odd)}${space()}`;
  });
  const body = `${space()}{${members.join(',')}}${space()}`;
  return odd > 0 && random.once(8) ? mutate(random, body) : body;
}

function randomName(random: Random): string {
  return random.pick(random.once(2) ? OTHER_NAMES : random.once(2) ? ALIASES : NAMES);
}

function randomValue(random: Random, name: string, odd: number): string {
  if (odd > 0 && random.once(odd)) return random.pick(VALUES);
  if (name !== 'username') {
    const plain = random.once(2) ? random.below(101) : random.pick([0, 9, 10, 99, 100]);
    return `"${odd > 0 && random.once(6) ? random.pick(NUMBERS) : plain}"`;
  }
  return `"${randomUsername(random, odd)}"`;
}

function randomUsername(random: Random, odd: number): string {
  const codePoints =
    odd > 0 && random.once(4) ? random.pick([0, 1, 2, 31, 63, 64, 65, 66]) : 1 + random.below(30);
  // One kind of unusual character, so that a long name of it can be valid.
  const rare = odd > 0 && random.once(3) ? random.pick(ODD_CHARS) : '.';
  const text = random.once(4) ? random.pick([...TEXTS, ...SURROGATES]) : 'k';
  let username = '';
  for (let i = 0; i < codePoints; i++) {
    if (random.once(20)) username += rare;
    else username += random.once(2) ? text : String.fromCharCode(0x61 + random.below(26));
  }
  return username;
}

/** Changes, removes, doubles, adds or swaps single bytes, or cuts off the end. */
function mutate(random: Random, body: string): string {
  let mutated = body;
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(mutated.length + 1);
    const [head, tail] = [mutated.slice(0, at), mutated.slice(at)];
    const byte = random.once(2)
      ? String.fromCharCode(random.below(256))
      : random.pick([...'"\\{}[]:,0 \x7fe-.']);
    mutated = random.pick([
      `${head}${byte}${tail}`,
      `${head}${byte}${tail.slice(1)}`,
      `${head}${tail.slice(1)}`,
      `${head}${tail.slice(0, 3)}${tail}`,
      `${head}${tail.charAt(1)}${tail.charAt(0)}${tail.slice(2)}`,
      head,
    ]);
  }
  return mutated;
}

const ORDER = '{"product_id":"33","count":"3","username":"maksim.konovalov"}';
const deep = (open: string, close: string, levels: number): string =>
  open.repeat(levels) + close.repeat(levels);

/** Bodies that small changes do not produce. */
const WHOLE = [
  '',
  ' ',
  '{}',
  '[]',
  'null',
  '3',
  '"order"',
  utf8('\ufeff') + ORDER,
  `${ORDER}\0`,
  `${ORDER}${ORDER}`,
  `[${ORDER}]`,
  Buffer.from(ORDER, 'utf16le').toString('latin1'),
  // As many repetitions as could mislead a count of names.
  `{${'"product_id":"1",'.repeat(9)}"username":"u"}`,
  `{${'"count":"1",'.repeat(3)}"username":"u"}`,
  deep('[', ']', 1500),
  deep('{"a":', '}', 700),
  `{"username":${deep('[', ']', 1000)},"count":"3","product_id":"33"}`,
  '{"username":'.repeat(300),
  `{"product_id":"1","count":"2","username":"${'k'.repeat(4000)}"}`,
];
