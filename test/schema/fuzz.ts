import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '../../drills/ledger/random.js';
import { orderContract } from '../../src/schema/contract.js';
import { Judge } from '../../src/schema/judge/judge.js';
import { openValidator } from '../../src/schema/validator.js';
import { randomBody } from './bodies.js';
import { BODY_DEPTH_MAX, type Judgement, Reference } from './reference.js';

/** Room for garbage on both sides of a body. */
const MARGIN_BYTES_MAX = 80;
const TARGET_BYTES = 16 * 1024;

/**
 * Garbage on both sides of the body that would complete a truncated body, to detect reads beyond its ends.
 */
const LURES = [
  '"}   "}}',
  '","username":"u"}',
  '{"product_id":"1","count":"1","username":"u"}',
  '\xff\x80\xed\xa0\x80',
  '\0\0\0\0',
  '}]}]0000',
];

/** Compares the validator, and its judge alone, with the reference; throws if they differ. */
export class Comparer {
  readonly #validator = openValidator(orderContract);
  readonly #judge = new Judge(orderContract, BODY_DEPTH_MAX);
  readonly #reference = new Reference();
  readonly #target = Buffer.alloc(TARGET_BYTES);

  /** `body` and the garbage `before` and `after` it are latin1: a character is a byte. */
  compare(body: string, before = '', after = ''): Judgement {
    const whole = Buffer.from(before + body + after, 'latin1');
    const bytes = new Uint8Array(whole.buffer, whole.byteOffset, whole.length);
    const start = before.length;
    const end = start + body.length;
    const expected = this.#reference.judge(bytes.subarray(start, end));

    const fault = this.#validator.validate(bytes, start, end) ? '' : this.#validator.fault;
    const judged = this.#judge.accepts(bytes, start, end) ? '' : this.#judge.fault;
    if (judged !== fault) {
      throw new Error(`validator "${fault}", judge "${judged}"`);
    }
    if (fault !== '') {
      if (!('fault' in expected) || expected.fault !== fault) {
        throw new Error(`${fault}, reference ${JSON.stringify(expected)}`);
      }
      return expected;
    }
    const written = this.#written();
    if (!('compact' in expected) || written !== `${expected.compact}\n`) {
      throw new Error(`wrote ${written}, reference ${JSON.stringify(expected)}`);
    }
    const canonical = this.#validator.canonicalForm() ?? Buffer.from(written.slice(0, -1));
    if (Buffer.from(canonical).toString() !== expected.canonical) {
      throw new Error(`canonical form ${canonical}, reference ${JSON.stringify(expected)}`);
    }
    return expected;
  }

  /** What `writeTo` writes: it must have the announced length and change nothing else. */
  #written(): string {
    const target = this.#target;
    const offset = 7;
    const size = this.#validator.compactLength;
    target.fill(0xee, 0, offset + size + 1);
    const behind = this.#validator.writeTo(target, offset);
    if (behind !== offset + size) throw new Error(`${behind - offset} bytes written, not ${size}`);
    if (target[offset - 1] !== 0xee || target[behind] !== 0xee) throw new Error('wrote beyond');
    const line = target.toString('utf8', offset, behind);
    if (line.indexOf('\n') !== line.length - 1) throw new Error(`not one line: ${line}`);
    return line;
  }
}

export interface FuzzResult {
  /** The number of bodies per result: `valid` or the fault. */
  readonly tally: ReadonlyMap<string, number>;
}

/** @throws Error with the seed, the number of the body, and the body */
export function fuzz(bodies: number, seed: number): FuzzResult {
  const random = new Random(seed);
  const comparer = new Comparer();
  const tally = new Map<string, number>();
  for (let i = 0; i < bodies; i++) {
    const body = randomBody(random);
    const [before, after] = [randomMargin(random), randomMargin(random)];
    try {
      const judgement = comparer.compare(body, before, after);
      const name = 'fault' in judgement ? judgement.fault : 'valid';
      tally.set(name, (tally.get(name) ?? 0) + 1);
    } catch (error) {
      const place = `seed ${seed}, body ${i}, in ${printable(before)} … ${printable(after)}`;
      throw new Error(`${place}\n  body  ${printable(body)}`, { cause: error });
    }
  }
  return { tally };
}

function randomMargin(random: Random): string {
  if (random.once(4)) return '';
  if (random.once(2)) return random.pick(LURES);
  let margin = '';
  for (let left = random.below(MARGIN_BYTES_MAX); left > 0; left--) {
    margin += String.fromCharCode(random.below(256));
  }
  return margin;
}

/** A latin1 text as a string literal in ASCII. */
export function printable(body: string): string {
  return JSON.stringify(body).replace(
    /[\x7f-\xff]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function main(): void {
  const { values } = parseArgs({
    options: {
      bodies: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: process.env.FOREBAY_SEED ?? String(Date.now() % 2 ** 32) },
    },
  });
  const bodies = Number(values.bodies);
  const seed = Number(values.seed);
  console.log(`fuzz: ${bodies} bodies, seed ${seed}`);
  try {
    const { tally } = fuzz(bodies, seed);
    for (const [name, count] of [...tally].sort(([, a], [, b]) => b - a)) {
      console.log(`${String(count).padStart(9)}  ${name}`);
    }
    console.log('no disagreement');
  } catch (error) {
    console.error(error instanceof Error ? `${error.message}\n  ${error.cause}` : error);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
