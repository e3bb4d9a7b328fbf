/**
 * Compares the validators of random schemas with the judge, over random bodies. `npm run fuzz:schemas` runs the long form.
 *
 *   node dist/test/schema/schema-fuzz.js --schemas 20000 --bodies 1000 --seed 1
 *   node dist/test/schema/schema-fuzz.js --seed 1 --from 17 --schemas 1        one schema again
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Random } from '../../drills/ledger/random.js';
import { canonicalJson } from '../../src/schema/canonical.js';
import type { Contract } from '../../src/schema/contract.js';
import { Judge } from '../../src/schema/judge/judge.js';
import { openValidator } from '../../src/schema/validator.js';
import { BodyMaker } from './random/bodies.js';
import { type RandomSchema, randomSchema } from './random/schemas.js';
import { BODY_DEPTH_MAX } from './reference.js';
import { SchemaReference, UNION } from './schema-reference.js';

/** What was seen. Sums over schemas, threads and runs. */
export interface FuzzTally {
  schemas: number;
  bodies: number;
  valid: number;
  /** Valid bodies about which the scanner asked the judge. */
  validAsked: number;
  /** Bodies that a second oracle has judged too. */
  doubleChecked: number;
  /** By the fault's keyword. */
  readonly faults: Map<string, number>;
}

export function emptyTally(): FuzzTally {
  return { schemas: 0, bodies: 0, valid: 0, validAsked: 0, doubleChecked: 0, faults: new Map() };
}

function add(sum: FuzzTally, other: FuzzTally): void {
  sum.schemas += other.schemas;
  sum.bodies += other.bodies;
  sum.valid += other.valid;
  sum.validAsked += other.validAsked;
  sum.doubleChecked += other.doubleChecked;
  for (const [fault, count] of other.faults) {
    sum.faults.set(fault, (sum.faults.get(fault) ?? 0) + count);
  }
}

/** Room in front of a body for the one before it, which must not be read. */
const BUFFER_BYTES = 64 * 1024;
/** One of so many schemas is also given to an oracle that shares no code with the product. */
const DOUBLE_CHECKED = 8;

/** Notes that a validator has asked its judge, and what the judge is. */
class Probe {
  judge: Judge | null = null;
  asked = false;
  readonly #accepts = Judge.prototype.accepts;

  constructor() {
    const note = (judge: Judge) => {
      this.judge = judge;
      this.asked = true;
    };
    const accepts = this.#accepts;
    Judge.prototype.accepts = function (bytes, start, end) {
      note(this);
      return accepts.call(this, bytes, start, end);
    };
  }

  /** Asks the judge without a note. */
  accepts(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#accepts.call(this.judge!, bytes, start, end);
  }
}

const probe = new Probe();

/** Fuzzes one schema; throws at the first disagreement. */
export function fuzzSchema(seed: number, index: number, bodies: number, tally: FuzzTally): void {
  const random = new Random((seed + Math.imul(index + 1, 0x9e3779b9)) >>> 0);
  const made = randomSchema(random);
  const comparer = new SchemaComparer(made, index % DOUBLE_CHECKED === 0, tally);
  const maker = new BodyMaker(random, made);
  tally.schemas++;
  for (let i = 0; i < bodies; i++) {
    const body = maker.next();
    try {
      comparer.compare(body);
    } catch (error) {
      const schema = JSON.stringify(made.schema);
      const shown = JSON.stringify(body.toString('latin1').slice(0, 3000));
      const where = `--seed ${seed} --from ${index} --schemas 1`;
      throw new Error(
        `${(error as Error).message}\nschema (${made.dialect}): ${schema}\nbody (latin1): ${shown}\n${where}`,
      );
    }
  }
}

class SchemaComparer {
  readonly #validator;
  readonly #reference: SchemaReference | null;
  readonly #tally: FuzzTally;
  readonly #bytes = new Uint8Array(BUFFER_BYTES);
  readonly #target = new Uint8Array(BUFFER_BYTES);
  #at = 0;

  constructor({ schema, dialect }: RandomSchema, isDoubleChecked: boolean, tally: FuzzTally) {
    const contract: Contract = { source: 'random', schema, dialect, digest: 'random' };
    this.#validator = openValidator(contract, { bodyDepthMax: BODY_DEPTH_MAX });
    this.#reference = isDoubleChecked ? new SchemaReference(schema, dialect) : null;
    this.#tally = tally;
    // Finds the judge of this validator.
    this.#validator.validate(this.#bytes, 0, 0);
  }

  compare(body: Buffer): void {
    const start = this.#place(body);
    const end = start + body.length;
    const validator = this.#validator;
    const tally = this.#tally;
    probe.asked = false;
    const isValid = validator.validate(this.#bytes, start, end);
    const { asked } = probe;
    if (!asked && probe.accepts(this.#bytes, start, end) !== isValid) {
      throw new Error(`scanner ${isValid}, judge: ${probe.judge!.fault}`);
    }
    if (!isValid && probe.judge!.fault !== validator.fault) throw new Error('another fault');
    this.#doubleCheck(body, isValid);
    tally.bodies++;
    if (!isValid) {
      const keyword = validator.fault.split(' ')[1]!;
      tally.faults.set(keyword, (tally.faults.get(keyword) ?? 0) + 1);
      return;
    }
    tally.valid++;
    if (asked) tally.validAsked++;
    this.#checkLine(body);
  }

  /** After the body before: what is read beyond an end of the body is not zero. */
  #place(body: Buffer): number {
    if (this.#at + body.length > BUFFER_BYTES) this.#at = 0;
    const start = this.#at;
    this.#bytes.set(body, start);
    this.#at += body.length;
    return start;
  }

  #doubleCheck(body: Buffer, isValid: boolean): void {
    if (this.#reference === null) return;
    const fault = this.#reference.faultOf(body);
    const told = isValid ? '' : this.#validator.fault;
    // A long pointer is cut.
    if (fault === null || told.includes('...')) return;
    this.#tally.doubleChecked++;
    const isSame = fault === UNION ? told !== '' : fault === told;
    if (!isSame) throw new Error(`validator "${told}", reference "${fault}"`);
  }

  /** The line is the body without white space outside of strings, byte for byte. */
  #checkLine(body: Buffer): void {
    const validator = this.#validator;
    const expected = compacted(body.toString('utf8'));
    const size = validator.compactLength;
    const target = this.#target;
    target[size + 3] = 0xee;
    const end = validator.writeTo(target, 3);
    const line = Buffer.from(target.buffer, 3, size).toString('utf8');
    if (end !== size + 3 || target[end] !== 0xee) throw new Error('wrote another length');
    if (line !== `${expected}\n`) throw new Error(`wrote ${line}`);
    const form = validator.canonicalForm();
    const canonical = form === null ? expected : Buffer.from(form).toString();
    if (canonical !== canonicalJson(expected)) throw new Error(`canonical form ${canonical}`);
  }
}

/** A string, or white space between tokens. */
const STRING_OR_SPACE = /"(?:[^"\\]|\\.)*"|[ \t\r\n]+/gs;

function compacted(text: string): string {
  return text.replace(STRING_OR_SPACE, (token) => (token.startsWith('"') ? token : ''));
}

interface Share {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly bodies: number;
}

/** Schemas after which a thread reports. */
const REPORT_SCHEMAS = 20;

function runShare({ seed, from, to, step, bodies }: Share): void {
  let tally = emptyTally();
  for (let index = from; index < to; index += step) {
    fuzzSchema(seed, index, bodies, tally);
    if (tally.schemas < REPORT_SCHEMAS && index + step < to) continue;
    parentPort!.postMessage(tally);
    tally = emptyTally();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      schemas: { type: 'string', default: '20000' },
      bodies: { type: 'string', default: '1000' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
      from: { type: 'string', default: '0' },
      threads: { type: 'string', default: String(availableParallelism()) },
    },
  });
  const [seed, first, schemas] = [values.seed, values.from, values.schemas].map(Number) as [
    number,
    number,
    number,
  ];
  const threads = Math.min(Number(values.threads), schemas);
  const bodies = Number(values.bodies);
  console.log(`seed ${seed}: ${schemas} schemas, ${bodies} bodies each, ${threads} threads`);
  const began = performance.now();
  const sum = emptyTally();
  let told = began;
  const onTally = (tally: FuzzTally) => {
    add(sum, tally);
    const now = performance.now();
    if (now - told < 30_000) return;
    told = now;
    console.log(
      `${sum.schemas} schemas, ${sum.bodies} bodies, ${Math.round((now - began) / 1000)} s`,
    );
  };
  const shares = Array.from({ length: threads }, (_, i): Share => {
    return { seed, from: first + i, to: first + schemas, step: threads, bodies };
  });
  await Promise.all(shares.map((share) => inThread(share, onTally)));
  report(sum, performance.now() - began);
}

function inThread(share: Share, onTally: (tally: FuzzTally) => void): Promise<void> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: share });
  return new Promise((resolve, reject) => {
    worker.on('message', onTally);
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}

function report(sum: FuzzTally, ms: number): void {
  const faults = [...sum.faults].sort(([, a], [, b]) => b - a);
  const asked = ((100 * sum.validAsked) / sum.valid).toFixed(1);
  console.log(faults.map(([fault, count]) => `${fault} ${count}`).join(', '));
  console.log(
    `${sum.schemas} schemas, ${sum.bodies} bodies, ${sum.valid} of them valid (the scanner asked about ${asked}% of these), ${sum.doubleChecked} judged twice: 0 disagreements in ${(ms / 1000).toFixed(0)} s`,
  );
}

if (!isMainThread && workerData?.step !== undefined) runShare(workerData as Share);
else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
