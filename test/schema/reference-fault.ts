import type { ErrorObject } from 'ajv';

const POINTER_CHARS_MAX = 256;
const NAME_CHARS_MAX = 128;

/** What `x-invalid` must say about an error of ajv, written apart from the production code. */
export function referenceFault(error: ErrorObject): string {
  const { instancePath, keyword, params, propertyName } = error;
  const { missingProperty, additionalProperty, unevaluatedProperty } = params;
  const name = missingProperty ?? additionalProperty ?? unevaluatedProperty ?? propertyName ?? '';
  const parts = [
    instancePath === '' ? '/' : cut(instancePath, POINTER_CHARS_MAX),
    keyword === 'false schema' ? 'false' : keyword,
    cut(name, NAME_CHARS_MAX),
  ];
  return parts.join(' ').trimEnd();
}

function cut(text: string, charsMax: number): string {
  const all = encoded(text);
  if (all.length <= charsMax) return all;
  return `${all.slice(0, charsMax - 3).replace(/%.?$/, '')}...`;
}

const NOT_ENCODED = /%(2[1-46-9A-F]|3[A-F]|40|5[B-F]|60|7[B-E])/g;

function encoded(text: string): string {
  const all = encodeURIComponent(Buffer.from(text).toString());
  return all.replace(NOT_ENCODED, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}
