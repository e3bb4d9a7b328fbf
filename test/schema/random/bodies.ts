import type { Random } from '../../../drills/ledger/random.js';
import { Sampler } from './sample.js';
import type { RandomSchema } from './schemas.js';
import { randomName, randomNumber, randomScalar, randomText, randomValue } from './values.js';

/** How a body is written. */
interface Style {
  readonly isSpaced: boolean;
  /** One of so many characters is escaped; 0 for none that need not be. */
  readonly escapes: number;
  /** One of so many numbers is written in another way. */
  readonly numbers: number;
  readonly isShuffled: boolean;
  /** One of so many objects has a name twice. */
  readonly repeats: number;
}

const SPACES = ['', '', ' ', '\n', '\r\n', '\t', '  \n\t '];
/** Bytes that are likely to matter. */
const BYTES = [
  ...Buffer.from('"\\{}[]:,0 \n\t\x7fe-.+19tfnu/'),
  0x00,
  0x1f,
  0x80,
  0xbf,
  0xc0,
  0xc3,
  0xe2,
  0xed,
  0xf0,
  0xf4,
  0xff,
];
const SLICES = [
  '\xc0\xaf',
  '\xed\xa0\x80',
  '\xf4\x90\x80\x80',
  '\xe2\x82',
  '\xef\xbb\xbf',
  '\\u0000',
  '\\ud800',
  '\\u12',
  '""',
  ',,',
  '{}',
  '[]',
  '01',
  '1e400',
  '-0',
  '-0.0',
  'null',
  'true',
  '1.0',
];
const DEPTHS = [1, 30, 57, 60, 61, 62, 63, 64, 65, 70, 2000];

/** Longest body, so that many can be tried. */
const BYTES_MAX = 8 * 1024;
/** For schemas whose values are longer. */
const TRIES = 10;

/** Makes bodies for one schema: valid ones, and changes of their value, their spelling and their bytes. */
export class BodyMaker {
  readonly #random: Random;
  readonly #sampler: Sampler;
  #last: unknown = null;

  constructor(random: Random, schema: RandomSchema) {
    this.#random = random;
    this.#sampler = new Sampler(random, schema);
  }

  next(): Buffer {
    const random = this.#random;
    if (random.once(400)) return this.#deep();
    for (let tries = 0; tries < TRIES; tries++) {
      const body = this.#spelled();
      if (body.length <= BYTES_MAX) return random.once(8) ? this.#damaged(body) : body;
    }
    return this.#deep();
  }

  #spelled(): Buffer {
    const random = this.#random;
    // A value is used several times: with another spelling, or with one change.
    if (!random.once(3)) this.#last = this.#sampler.sample();
    let value = this.#last;
    const changes = random.once(2) ? 0 : 1 + random.below(2);
    for (let i = 0; i < changes; i++) value = this.#changed(value);
    return Buffer.from(new Speller(random, this.#style()).text(value), 'utf8');
  }

  #style(): Style {
    const random = this.#random;
    const isPlain = random.once(3);
    return {
      isSpaced: !isPlain && random.once(2),
      escapes: isPlain || random.once(2) ? 0 : random.pick([1, 4, 20]),
      numbers: isPlain || random.once(2) ? 0 : 2,
      isShuffled: random.once(3),
      repeats: random.once(12) ? 3 : 0,
    };
  }

  /** The value with one change at a random place. */
  #changed(value: unknown): unknown {
    const random = this.#random;
    if (typeof value !== 'object' || value === null || random.once(5)) return this.#other(value);
    if (Array.isArray(value)) return this.#changedArray(value);
    const entries = Object.entries(value);
    const at = random.below(entries.length + 1);
    if (at === entries.length || random.once(6)) {
      const name = randomName(random);
      if (random.once(2)) entries.splice(at, 1);
      else entries.splice(at, 0, [name, randomValue(random, 1)]);
    } else if (random.once(12)) entries[at] = [randomName(random), entries[at]![1]];
    else entries[at] = [entries[at]![0], this.#changed(entries[at]![1])];
    return Object.fromEntries(entries);
  }

  #changedArray(value: readonly unknown[]): unknown[] {
    const random = this.#random;
    const items = [...value];
    const at = random.below(items.length + 1);
    if (at === items.length || random.once(4)) {
      if (random.once(2)) items.splice(at, 1);
      else
        items.splice(at, 0, random.once(2) && items.length > 0 ? items[0] : randomValue(random, 1));
    } else items[at] = this.#changed(items[at]);
    return items;
  }

  #other(value: unknown): unknown {
    const random = this.#random;
    if (random.once(4)) return randomScalar(random);
    if (typeof value === 'number') {
      return random.pick([
        value + 1,
        value - 1,
        -value,
        value * 10,
        value / 3,
        value + 1e-9,
        String(value),
        randomNumber(random),
      ]);
    }
    if (typeof value === 'string') return this.#otherText(value);
    return randomValue(random, 2);
  }

  #otherText(text: string): string {
    const random = this.#random;
    const characters = [...text];
    const at = random.below(characters.length + 1);
    const one = random.pick([
      'a',
      'A',
      '0',
      '-',
      ' ',
      'é',
      'ж',
      '😀',
      '\n',
      '\0',
      '"',
      '\\',
      '\x7f',
      '\ud800',
      'ſ',
    ]);
    const kind = random.below(6);
    if (kind === 0) return randomText(random);
    if (kind === 1) return text.toUpperCase();
    if (kind === 2) characters.splice(at, 1);
    else if (kind === 3) characters.splice(at, 1, one);
    else if (kind === 4) characters.splice(at, 0, one);
    else characters.splice(at, 0, ...characters.slice(0, 40));
    return characters.join('');
  }

  #damaged(body: Buffer): Buffer {
    const random = this.#random;
    let bytes = body;
    for (let times = 1 + random.below(2); times > 0; times--) {
      const at = random.below(bytes.length + 1);
      const head = bytes.subarray(0, at);
      const tail = bytes.subarray(at);
      const byte = Buffer.from([random.once(3) ? random.below(256) : random.pick(BYTES)]);
      const kind = random.below(7);
      if (kind === 0) bytes = Buffer.concat([head, byte, tail]);
      else if (kind === 1) bytes = Buffer.concat([head, byte, tail.subarray(1)]);
      else if (kind === 2) bytes = Buffer.concat([head, tail.subarray(1)]);
      else if (kind === 3) bytes = Buffer.concat([head, tail.subarray(0, 4), tail]);
      else if (kind === 4)
        bytes = Buffer.concat([head, Buffer.from(random.pick(SLICES), 'latin1'), tail]);
      else if (kind === 5) bytes = head;
      else bytes = Buffer.concat([tail, head]);
    }
    return bytes;
  }

  #deep(): Buffer {
    const random = this.#random;
    const levels = random.pick(DEPTHS);
    const [open, close] = random.pick([
      ['[', ']'],
      ['{"a":', '}'],
      ['{"next":', '}'],
    ]);
    const inner = random.pick(['', '1', '{}', '[]']);
    const text =
      open!.repeat(levels) + (inner === '' && open !== '[' ? '1' : inner) + close!.repeat(levels);
    return Buffer.from(
      random.once(6) ? text.slice(0, -1) : random.once(2) ? `{"items":${text}}` : text,
    );
  }
}

const REPEATS_MAX = 4;

/** Writes a value as JSON. */
class Speller {
  #repeatsLeft: number;
  readonly #random: Random;
  readonly #style: Style;

  constructor(random: Random, style: Style) {
    this.#random = random;
    this.#style = style;
    this.#repeatsLeft = style.repeats === 0 ? 0 : REPEATS_MAX;
  }

  text(value: unknown): string {
    return this.#space() + this.#value(value) + this.#space();
  }

  #space(): string {
    return this.#style.isSpaced ? this.#random.pick(SPACES) : '';
  }

  #value(value: unknown): string {
    if (typeof value === 'string') return this.#string(value);
    if (typeof value === 'number') return this.#number(value);
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const inner = Array.isArray(value)
      ? value.map((one) => this.#around(one))
      : this.#members(value);
    const [open, close] = Array.isArray(value) ? '[]' : '{}';
    return `${open}${inner.length === 0 ? this.#space() : inner.join()}${close}`;
  }

  #around(value: unknown): string {
    return `${this.#space()}${this.#value(value)}${this.#space()}`;
  }

  #members(value: object): string[] {
    const random = this.#random;
    const entries = Object.entries(value);
    const { isShuffled, repeats } = this.#style;
    // Of nested objects, each would double the length.
    if (this.#repeatsLeft > 0 && entries.length > 0 && random.once(repeats)) {
      this.#repeatsLeft--;
      const [name, one] = random.pick(entries);
      entries.splice(random.below(entries.length + 1), 0, [
        name,
        random.once(2) ? one : randomScalar(random),
      ]);
    }
    if (isShuffled) {
      for (let i = entries.length - 1; i > 0; i--) {
        const j = random.below(i + 1);
        [entries[i], entries[j]] = [entries[j]!, entries[i]!];
      }
    }
    return entries.map(
      ([name, one]) => `${this.#space()}${this.#string(name)}${this.#space()}:${this.#around(one)}`,
    );
  }

  #string(text: string): string {
    const { escapes } = this.#style;
    // JSON.stringify escapes lone surrogates, which UTF-8 cannot write.
    const plain = JSON.stringify(text);
    if (escapes === 0) return plain;
    let written = '';
    for (const unit of text.split('')) {
      const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
      const isHalf = unit >= '\ud800' && unit <= '\udfff';
      if (isHalf || this.#random.once(escapes)) {
        written +=
          unit === '/' && this.#random.once(2)
            ? '\\/'
            : `\\u${this.#random.once(2) ? hex : hex.toUpperCase()}`;
      } else written += JSON.stringify(unit).slice(1, -1);
    }
    return `"${written}"`;
  }

  #number(value: number): string {
    const random = this.#random;
    const plain = Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : '1e999';
    const { numbers } = this.#style;
    if (numbers === 0 || !random.once(numbers)) return plain;
    if (plain.includes('e'))
      return random.pick([
        plain.replace('e+', 'E'),
        plain.replace('e', 'e0').replace('e0+', 'e+0').replace('e0-', 'e-0'),
      ]);
    const point = plain.includes('.') ? plain : `${plain}.0`;
    return random
      .pick([
        `${point}0`,
        `${point}e0`,
        `${point}E+00`,
        `${plain}e0`,
        `${point}0000000000000000000000000000001`,
        `${shifted(point, 1)}e1`,
        `${shifted(point, 3)}e+3`,
        `${plain.includes('.') ? plain.replace('.', '') : `${plain}0`}e-${plain.includes('.') ? plain.length - plain.indexOf('.') - 1 : 1}`,
        `-${plain.replace('-', '')}`,
        `${plain}00000000000000000000`.slice(0, 25).replace(/\.$/, ''),
      ])
      .replace(/^(-?)0+(?=\d)/, '$1');
  }
}

/** The decimal point of a number moved to the left. */
function shifted(number: string, places: number): string {
  const sign = number.startsWith('-') ? '-' : '';
  const [whole, fraction] = number.slice(sign.length).split('.') as [string, string];
  const digits = whole.padStart(places + 1, '0');
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}${fraction}`;
}
