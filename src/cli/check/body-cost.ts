import type { Contract } from '../../schema/contract.js';
import { openAjv } from '../../schema/judge/ajv.js';
import { openValidator } from '../../schema/validator.js';

/** What it costs to validate a body, in nanoseconds: medians of rounds that take turns. */
export interface BodyCost {
  readonly scannerNs: number;
  /** JSON.parse and ajv. */
  readonly ajvNs: number;
}

const ROUNDS = 9;
const ROUND_MS = 15;
const WARM_UP_MS = 60;

/** @param body valid */
export function costOf(contract: Contract, bodyDepthMax: number, body: Uint8Array): BodyCost {
  const validator = openValidator(contract, { bodyDepthMax });
  const isValid = openAjv(contract.dialect, contract.schema).compile(contract.schema);
  const decoder = new TextDecoder();
  const scan = () => validator.validate(body, 0, body.length);
  const parse = () => isValid(JSON.parse(decoder.decode(body))) as boolean;
  const contestants = [scan, parse];
  for (const contestant of contestants) nanoseconds(contestant, WARM_UP_MS);
  const rounds = Array.from({ length: ROUNDS }, () =>
    contestants.map((contestant) => nanoseconds(contestant, ROUND_MS)),
  );
  const [scannerNs, ajvNs] = contestants.map((_, i) => median(rounds.map((round) => round[i]!)));
  return { scannerNs: scannerNs!, ajvNs: ajvNs! };
}

/** Nanoseconds of a call. @throws Error the body is refused */
function nanoseconds(validate: () => boolean, ms: number): number {
  const began = performance.now();
  let calls = 0;
  let elapsed = 0;
  while (elapsed < ms) {
    for (let i = 0; i < 64; i++) if (!validate()) throw new Error('the body is not valid');
    calls += 64;
    elapsed = performance.now() - began;
  }
  return (elapsed * 1e6) / calls;
}

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[values.length >> 1]!);
}
