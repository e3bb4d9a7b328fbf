import { Ajv } from 'ajv';
import { type OrderData, orderSchema } from '../../src/model/order.js';
import { structureOf } from './structure-of.js';

export const BODY_DEPTH_MAX = 64;

/** The expected result of a body: its value, its text as it is stored and its canonical form, or its first fault as in `x-invalid`. */
export type Judgement =
  | { readonly value: OrderData; readonly compact: string; readonly canonical: string }
  | { readonly fault: string };

/**
 * The oracle: strict UTF-8, JSON.parse, a check of depth and repeated names, ajv. It is simple and separate from the production
 * code, with which it shares only the schema and the libraries.
 */
export class Reference {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #isOrder = new Ajv().compile<OrderData>(orderSchema);

  judge(body: Uint8Array): Judgement {
    let text: string;
    try {
      text = this.#decoder.decode(body);
    } catch {
      return { fault: '/ utf8' };
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return { fault: '/ json' };
    }
    const { depth, repeats } = structureOf(text);
    if (depth > BODY_DEPTH_MAX) return { fault: '/ depth' };
    if (repeats) return { fault: '/ duplicate' };
    if (this.#isOrder(value))
      return { value, compact: withoutSpaces(text), canonical: this.#canonical(value) };
    const { instancePath, keyword, params } = this.#isOrder.errors![0];
    const where = instancePath === '' ? '/' : instancePath;
    return { fault: [where, keyword, params.missingProperty ?? ''].join(' ').trimEnd() };
  }

  /** What version 0.2.0 stored, and hashed for idempotency keys. */
  #canonical({ product_id, count, username }: OrderData): string {
    return JSON.stringify({ product_id, count, username });
  }
}

/** A valid JSON text without the white space outside of strings. */
function withoutSpaces(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, '$1');
}
