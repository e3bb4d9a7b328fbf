import { readFileSync } from 'node:fs';
import { OperatorFault, whyNotRead } from '../../model/fault.js';
import type { Options } from '../../model/options.js';
import type { Leftover } from '../../schema/compile/read-schema.js';
import { Scanner } from '../../schema/compile/scanner.js';
import type { Contract } from '../../schema/contract.js';
import { Judge } from '../../schema/judge/judge.js';
import { escapedName, visitSchemas } from '../../schema/judge/subschemas.js';
import { loadContract } from '../../schema/load-contract.js';
import { compileContract } from '../../schema/validator.js';
import { costOf } from './body-cost.js';
import { exampleOf } from './example.js';
import { type Finding, failConfig, ok, plural, warn } from './finding.js';

/** Most lines about keywords, so that a large schema does not hide the rest of the report. */
const KEYWORD_LINES_MAX = 200;

/** Keywords that never refuse a body. */
const ANNOTATIONS =
  '$schema,$id,$anchor,$comment,$defs,definitions,title,description,default,examples,deprecated,readOnly,writeOnly,contentEncoding,contentMediaType,contentSchema'.split(
    ',',
  );

export type SchemaOptions = Pick<
  Options,
  'path' | 'schema' | 'bodyDepthMax' | 'bodyBytesMax' | 'allowSlowPatterns'
>;

/**
 * The schema, who checks each of its keywords, and what a body costs. The keywords are listed if `--schema` is given.
 *
 * @param exampleFile a file with a body, or '' for one that is made from the schema
 */
export function schemaFindings(options: SchemaOptions, exampleFile: string): Finding[] {
  const { path, schema, bodyDepthMax } = options;
  try {
    const contract = loadContract(schema, options.allowSlowPatterns);
    compileContract(contract, options);
    const judge = new Judge(contract, bodyDepthMax);
    const part = (pointer: string) => judge.part(pointer);
    const scanner = new Scanner({ schema: contract.schema, bodyDepthMax, part });
    const { digest } = contract;
    const what = schema === '' ? 'the built-in order' : schema;
    return [
      ok('schema', `POST ${path} takes ${what} (digest ${digest})`, { path, digest }),
      ...(schema === '' ? [] : keywordFindings(contract, scanner.leftovers)),
      costFinding(contract, judge, options, exampleFile),
    ];
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error;
    const [problem, fix = ''] = error.message.split(/; fix: (.*)/s);
    return [failConfig('schema', problem!, fix)];
  }
}

function keywordFindings({ schema }: Contract, leftovers: readonly Leftover[]): Finding[] {
  const compiled: Finding[] = [];
  const left: Finding[] = [];
  visitSchemas(schema, (inner, pointer) => {
    const leftover = leftovers.find((one) => isWithin(pointer, one.pointer));
    for (const keyword of Object.keys(inner)) {
      if (ANNOTATIONS.includes(keyword)) continue;
      const at = `${pointer}/${escapedName(keyword)}`;
      if (leftover === undefined) {
        compiled.push(ok('keyword', `${at} compiled`, { pointer: at, compiled: true }));
        continue;
      }
      const why = `${leftover.keyword} at ${leftover.pointer || '/'}: ${leftover.why}`;
      left.push(ok('keyword', `${at} ajv (${why})`, { pointer: at, compiled: false, why }));
    }
  });
  // First those that cost.
  const all = [...left, ...compiled];
  const listed = all.slice(0, KEYWORD_LINES_MAX);
  const more = all.length - listed.length;
  const counts = { compiled: compiled.length, ajv: left.length };
  const rest = more > 0 ? `; ${more} more are not listed` : '';
  const text = `${plural(counts.compiled, 'keyword')} compiled to the scanner, ${counts.ajv} left to ajv${rest}`;
  return [ok('keywords', text, counts), ...listed];
}

function isWithin(pointer: string, part: string): boolean {
  return pointer === part || pointer.startsWith(`${part}/`);
}

function costFinding(
  contract: Contract,
  judge: Judge,
  options: SchemaOptions,
  exampleFile: string,
): Finding {
  const fix = 'give a valid body with --example FILE, without the {{n}} of forebay wave';
  const body = exampleFile === '' ? exampleOf(contract.schema) : readExample(exampleFile);
  const origin = exampleFile === '' ? 'an example from the schema' : exampleFile;
  if (body instanceof Error)
    return failConfig('example', `--example ${exampleFile}: ${whyNotRead(body)}`, fix);
  if (!judge.accepts(body, 0, body.length)) {
    if (exampleFile !== '') {
      return failConfig('example', `${exampleFile} is refused: ${judge.fault}`, fix);
    }
    const text = 'no example body: the examples and defaults of the schema make no valid one';
    return ok('example', `${text}; --example FILE names one, and its cost is measured`);
  }
  if (body.length > options.bodyBytesMax) {
    const text = `${origin} has ${body.length} bytes, more than --body-bytes-max ${options.bodyBytesMax}`;
    return warn('example', text, 'set --body-bytes-max');
  }
  const { scannerNs, ajvNs } = costOf(contract, options.bodyDepthMax, body);
  const ratio = (ajvNs / scannerNs).toFixed(1);
  const text = `${origin} (${body.length} bytes) is validated in ${scannerNs} ns; JSON.parse and ajv take ${ajvNs} ns, ${ratio} times that`;
  return ok('example', text, { bytes: body.length, scannerNs, ajvNs });
}

function readExample(file: string): Uint8Array | Error {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    return error as Error;
  }
}
