import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Dialect, Schema } from '../../src/schema/judge/subschemas.js';
import { BODY_DEPTH_MAX } from './reference.js';
import { structureOf } from './structure-of.js';

/** The fault of a body that no alternative of a union accepts. */
export const UNION = '/ union';

/** The oracle for any schema: as `Reference`, with a plain ajv. */
export class SchemaReference {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #isValid: ValidateFunction;

  constructor(schema: Schema, dialect: Dialect) {
    const settings = { strict: false, strictNumbers: true, ownProperties: true } as const;
    // Its own check of a schema throws if an enum lists {"toString":1}.
    const options = { ...settings, logger: false, validateSchema: false } as const;
    const ajv = dialect === 'draft-07' ? new Ajv(options) : new Ajv2020(options);
    formats.default(ajv as Ajv);
    this.#isValid = ajv.compile(schema);
  }

  /** The fault in the form of `x-invalid`, with any length; '' for a valid body; null if ajv cannot tell. */
  faultOf(body: Uint8Array): string | null {
    let text: string;
    let value: unknown;
    try {
      text = this.#decoder.decode(body);
    } catch {
      return '/ utf8';
    }
    try {
      value = JSON.parse(text);
    } catch {
      return '/ json';
    }
    const { depth, repeats } = structureOf(text);
    if (depth > BODY_DEPTH_MAX) return '/ depth';
    if (repeats) return '/ duplicate';
    // ajv compares objects with fast-deep-equal, which these members mislead.
    if (/"(?:valueOf|toString|constructor)"|\\u/.test(text)) return null;
    if (this.#isValid(value)) return '';
    const errors = this.#isValid.errors!;
    // The judge looks into alternatives: see its own tests.
    if (errors.some(({ keyword: one }) => one === 'oneOf' || one === 'anyOf')) return UNION;
    const { instancePath, keyword, params } = errors[0]!;
    const name = keyword === 'false schema' ? 'false' : keyword;
    const parts = [encoded(instancePath) || '/', name, encoded(params.missingProperty ?? '')];
    return parts.join(' ').trimEnd();
  }
}

const NOT_ENCODED = /%(2[1-46-9A-F]|3[A-F]|40|5[B-F]|60|7[B-E])/g;

function encoded(text: string): string {
  const all = encodeURIComponent(Buffer.from(text).toString());
  return all.replace(NOT_ENCODED, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}
