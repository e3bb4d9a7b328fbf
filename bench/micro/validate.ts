import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { type OrderData, orderSchema } from '../../src/model/order.js';
import type { BodyValidator } from '../../src/model/stages.js';
import { orderContract } from '../../src/schema/contract.js';
import { openValidator } from '../../src/schema/validator.js';
import { median } from '../spread.js';

/** Copies of a body at different offsets, so that V8 cannot optimise for one address. */
const COPIES = 8;

const PLAIN = '{"product_id":"33","count":"3","username":"maksim.konovalov"}';

interface Case {
  readonly name: string;
  readonly body: string;
  readonly valid: boolean;
}

const CASES: readonly Case[] = [
  { name: 'plain', body: PLAIN, valid: true },
  {
    name: 'white space',
    body: '{\n  "username": "maksim.konovalov",\n  "count": "3",\n  "product_id": "33"\n}\n',
    valid: true,
  },
  { name: 'unicode', body: PLAIN.replace('maksim', 'максим'), valid: true },
  { name: 'escape', body: PLAIN.replace('maksim', 'm\\u0061ksim'), valid: true },
  { name: 'count "101"', body: PLAIN.replace('"3"', '"101"'), valid: false },
  { name: 'count 3', body: PLAIN.replace('"3"', '3'), valid: false },
  { name: 'cut short', body: PLAIN.slice(0, -1), valid: false },
  { name: 'bad escape', body: PLAIN.replace('maksim', '\\x'), valid: false },
];

export interface ValidateBenchOptions {
  /** Bodies per measurement. */
  readonly bodies: number;
  /** Measurements of each side; the two sides take turns. */
  readonly rounds: number;
}

export interface ValidateBenchResult {
  readonly name: string;
  /** CPU nanoseconds per body: validate, and writeTo if it is valid. Median. */
  readonly forebayNs: number;
  /** The same for Buffer to string, JSON.parse and ajv. */
  readonly parseAjvNs: number;
  readonly ratio: number;
}

/** Validates `bodies` bodies. @returns how many were valid */
type Side = (bodies: number) => number;

/** @throws Error if a side gives a wrong verdict on a body */
export function benchValidate(options: ValidateBenchOptions): ValidateBenchResult[] {
  const validator = openValidator(orderContract);
  const isOrder = new Ajv().compile<OrderData>(orderSchema);
  return CASES.map((case_) => {
    const forebay = forebaySide(validator, case_.body);
    const parseAjv = parseAjvSide(isOrder, case_.body);
    const forebayNs: number[] = [];
    const parseAjvNs: number[] = [];
    for (let round = 0; round < options.rounds; round++) {
      forebayNs.push(measure(forebay, options.bodies, case_));
      parseAjvNs.push(measure(parseAjv, options.bodies, case_));
    }
    const ours = median(forebayNs);
    const theirs = median(parseAjvNs);
    return { name: case_.name, forebayNs: ours, parseAjvNs: theirs, ratio: theirs / ours };
  });
}

function forebaySide(validator: BodyValidator, body: string): Side {
  const target = Buffer.allocUnsafeSlow(64 * 1024);
  const { bytes, starts, size } = copiesOf(body);
  return (bodies) => {
    let valid = 0;
    let at = 0;
    for (let i = 0; i < bodies; i++) {
      const start = starts[i % COPIES];
      if (!validator.validate(bytes, start, start + size)) continue;
      if (at + validator.compactLength > target.length) at = 0;
      at = validator.writeTo(target, at);
      valid++;
    }
    return valid;
  };
}

function parseAjvSide(isOrder: (value: unknown) => boolean, body: string): Side {
  const { bytes, starts, size } = copiesOf(body);
  const bodiesAsBuffers = starts.map((start) =>
    Buffer.from(bytes.buffer, bytes.byteOffset + start, size),
  );
  return (bodies) => {
    let valid = 0;
    for (let i = 0; i < bodies; i++) {
      try {
        if (isOrder(JSON.parse(bodiesAsBuffers[i % COPIES].toString()))) valid++;
      } catch {
        // Not JSON: not valid.
      }
    }
    return valid;
  };
}

function copiesOf(body: string): { bytes: Uint8Array; starts: number[]; size: number } {
  const encoded = new TextEncoder().encode(body);
  const bytes = new Uint8Array((encoded.length + 1) * COPIES);
  const starts: number[] = [];
  for (let i = 0; i < COPIES; i++) {
    starts.push(i * (encoded.length + 1));
    bytes.set(encoded, starts[i]);
  }
  return { bytes, starts, size: encoded.length };
}

/** CPU time, not wall time: other processes do not count. */
function measure(side: Side, bodies: number, case_: Case): number {
  const begin = process.cpuUsage();
  const valid = side(bodies);
  const { user, system } = process.cpuUsage(begin);
  if (valid !== (case_.valid ? bodies : 0)) throw new Error(`wrong verdict: ${case_.name}`);
  return ((user + system) * 1000) / bodies;
}

function main(): void {
  console.log(
    `ns per body: Forebay (validate, writeTo), JSON.parse + ajv; Node ${process.version}`,
  );
  for (const { name, forebayNs, parseAjvNs, ratio } of benchValidate({
    bodies: 20_000,
    rounds: 21,
  })) {
    const figures = [forebayNs.toFixed(0), parseAjvNs.toFixed(0), `${ratio.toFixed(1)}x`];
    console.log(`${name.padEnd(12)} ${figures.map((figure) => figure.padStart(7)).join('')}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
