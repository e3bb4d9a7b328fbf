import { Ajv, type ValidateFunction } from 'ajv';
import type { Options } from '../model/options.js';
import { schema } from './schema.js';
import { fault, type GivenOptions, type OptionKey, quote } from './sources.js';
import { type AnySpec, flagName, rangeText } from './spec.js';

const validate = compile();

/** Throws an OperatorFault that names the first option whose value is not of its type or range. */
export function checkRanges(values: Readonly<Record<string, unknown>>, given: GivenOptions): void {
  if (validate(values)) return;
  const key = validate.errors![0].instancePath.split('/')[1] as OptionKey;
  throw fault(`${named(key, given)}: must be ${rangeText(schema[key])}`);
}

function compile(): ValidateFunction {
  const properties: Record<string, object> = {};
  for (const [key, spec] of Object.entries(schema)) properties[key] = jsonSchemaOf(spec);
  // Checking the schema itself against JSON Schema's own would double what this costs the start.
  return new Ajv({ meta: false, validateSchema: false }).compile({
    type: 'object',
    additionalProperties: false,
    required: Object.keys(schema),
    properties,
  });
}

function jsonSchemaOf(spec: AnySpec): object {
  switch (spec.type) {
    case 'integer':
    case 'number':
      return { type: spec.type, minimum: spec.min, maximum: spec.max };
    case 'text':
      return { type: 'string', pattern: spec.pattern };
    case 'list':
      return { type: 'array', items: { type: 'string', pattern: spec.pattern } };
    case 'choice':
      return { enum: spec.choices };
    case 'switch':
      return { type: 'boolean' };
  }
}

const WILDCARDS = ['0.0.0.0', '::'];

/** Throws an OperatorFault where two options, each in its range, can't go together. */
export function checkRelations(
  options: Options,
  given: GivenOptions,
  platform: NodeJS.Platform,
): void {
  if (options.retryMsMin > options.retryMsMax) {
    throw fault(
      `${named('retryMsMin', given, options)}: must be at most --retry-ms-max (${options.retryMsMax})`,
    );
  }
  // A frame must be able to hold the longest order and the line feed behind it.
  if (options.frameBytesMax < options.bodyBytesMax + 1) {
    throw fault(
      `${named('frameBytesMax', given, options)}: must be more than --body-bytes-max (${options.bodyBytesMax})`,
    );
  }
  if (options.port !== 0 && options.port === options.adminPort && hostsMeet(options)) {
    throw fault(`${named('adminPort', given, options)}: must not be the same as --port`);
  }
  if (options.threads > 1 && platform !== 'linux') {
    throw fault(`${named('threads', given, options)}: must be 1, since only Linux shares a port`);
  }
}

function hostsMeet({ host, adminHost }: Options): boolean {
  return host === adminHost || WILDCARDS.includes(host) || WILDCARDS.includes(adminHost);
}

/** `--port 70000 (FOREBAY_PORT)`: the option, its value, and where that came from. */
function named(key: OptionKey, given: GivenOptions, options?: Options): string {
  const { value, origin } = given.get(key) ?? { value: options?.[key], origin: 'default' };
  const shown = typeof value === 'string' && /^[\w.,:-]+$/.test(value) ? value : quote(value);
  return `--${flagName(key)} ${shown} (${origin})`;
}
