import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { BodyValidator } from '../../src/model/stages.js';
import { type Contract, orderContract } from '../../src/schema/contract.js';
import type { Schema } from '../../src/schema/judge/subschemas.js';
import { openValidator } from '../../src/schema/validator.js';
import { median } from '../spread.js';
import { contractCases, freeFormBody } from './contracts.js';

/** Copies of a body, so that V8 cannot optimise for one address. */
const COPIES = 8;

const PLAIN = '{"product_id":"33","count":"3","username":"maksim.konovalov"}';

interface Case {
  readonly name: string;
  readonly contract: Contract;
  readonly body: string;
  readonly valid: boolean;
}

const ORDERS: readonly Omit<Case, 'contract'>[] = [
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

/** A body of this contract needs no ajv. */
const FREE_FORM: Case = {
  name: 'any object',
  contract: contractOf({ type: 'object' }),
  body: freeFormBody,
  valid: true,
};

const CASES: readonly Case[] = [
  ...ORDERS.map((order) => ({ ...order, contract: orderContract })),
  ...contractCases.map(({ name, schema, body }) => ({
    name,
    contract: contractOf(schema),
    body,
    valid: true,
  })),
  FREE_FORM,
];

function contractOf(schema: Schema): Contract {
  return { source: '', schema, dialect: '2020-12', digest: '' };
}

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
  /** The same for Buffer to string, JSON.parse, and ajv except for any object. */
  readonly parseAjvNs: number;
  readonly ratio: number;
}

/** Validates `bodies` bodies. @returns how many were valid */
type Side = (bodies: number) => number;

/** @throws Error if a side gives a wrong verdict on a body */
export function benchValidate(options: ValidateBenchOptions): ValidateBenchResult[] {
  return CASES.map((case_) => {
    const forebay = forebaySide(openValidator(case_.contract), case_.body);
    const parseAjv = parseAjvSide(checkOf(case_), case_.body);
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

/** What ajv does after JSON.parse: nothing if any object is valid. */
function checkOf(case_: Case): (value: unknown) => boolean {
  if (case_ === FREE_FORM) return () => true;
  const ajv = new Ajv2020({ strict: false });
  formats.default(ajv);
  return ajv.compile(case_.contract.schema);
}

function forebaySide(validator: BodyValidator, body: string): Side {
  const target = Buffer.allocUnsafeSlow(64 * 1024);
  const copies = copiesOf(body);
  return (bodies) => {
    let valid = 0;
    let at = 0;
    for (let i = 0; i < bodies; i++) {
      const bytes = copies[i % COPIES]!;
      if (!validator.validate(bytes, 0, bytes.length)) continue;
      if (at + validator.compactLength > target.length) at = 0;
      at = validator.writeTo(target, at);
      valid++;
    }
    return valid;
  };
}

function parseAjvSide(isValid: (value: unknown) => boolean, body: string): Side {
  const copies = copiesOf(body).map((bytes) => Buffer.from(bytes.buffer));
  return (bodies) => {
    let valid = 0;
    for (let i = 0; i < bodies; i++) {
      try {
        if (isValid(JSON.parse(copies[i % COPIES]!.toString()))) valid++;
      } catch {
        // Not JSON: not valid.
      }
    }
    return valid;
  };
}

/** As uWebSockets.js delivers bodies: each is an array of its own. */
function copiesOf(body: string): Uint8Array[] {
  return Array.from({ length: COPIES }, () => Uint8Array.from(Buffer.from(body)));
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
    console.log(`${name.padEnd(22)} ${figures.map((figure) => figure.padStart(7)).join('')}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
