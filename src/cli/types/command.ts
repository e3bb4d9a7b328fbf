/** `forebay types`: writes the TypeScript types of a schema, for handlers. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { loadWithOrigins } from '../../options/load.js';
import type { Contract } from '../../schema/contract.js';
import { loadContract } from '../../schema/load-contract.js';
import { asDraft07 } from './draft-07.js';

/** The name of the type of `order.data`. */
const TYPE_NAME = 'OrderData';

/** Writes the types to stdout, or to a file. @throws OperatorFault an argument or the schema is wrong */
export async function run(argv: readonly string[]): Promise<number> {
  const { schema, out } = parseTypes(argv);
  const text = await typesOf(loadContract(schema, true));
  if (out === '') {
    await new Promise((resolve) => process.stdout.write(text, resolve));
    return EXIT.ok;
  }
  await writeFile(out, text).catch((error: Error) => {
    const fix = 'name a file in a folder that can be written';
    throw new OperatorFault(`--out ${out}: ${error.message}; fix: ${fix}`, EXIT.failed);
  });
  return EXIT.ok;
}

/** @throws OperatorFault an option or a value is wrong */
export function parseTypes(argv: readonly string[]): { schema: string; out: string } {
  const { values } = parsedArguments(argv);
  const { out = '', ...server } = values;
  // By the parser of the server, so that variables and the configuration file count too.
  const given = Object.entries(server).map(([flag, value]) => `--${flag}=${value}`);
  return { schema: loadWithOrigins(given, process.env).options.schema, out };
}

function parsedArguments(argv: readonly string[]) {
  const type = 'string';
  try {
    const options = { schema: { type }, config: { type }, out: { type } } as const;
    return parseArgs({ args: [...argv], options });
  } catch (error) {
    const message = (error as Error).message.split('\n', 1)[0];
    throw new OperatorFault(`${message}; see forebay types --help`, EXIT.usage);
  }
}

/** The source text of a module of types. */
async function typesOf({ schema, dialect, source, digest }: Contract): Promise<string> {
  // Loads a formatter of 12 MB, which nothing else needs.
  const { compile } = await import('json-schema-to-typescript');
  const origin = source === '' ? 'the built-in order' : source;
  const converted = dialect === '2020-12' ? asDraft07(schema) : schema;
  // Its title would be the name of the type.
  const { title, $id, ...named } = structuredClone(converted) as Record<string, unknown>;
  try {
    return await compile({ ...named, title: TYPE_NAME }, TYPE_NAME, {
      bannerComment: `/** Types of ${origin}, digest ${digest}. Made by forebay types: do not edit. */`,
      cwd: process.cwd(),
      declareExternallyReferenced: true,
      additionalProperties: true,
      unknownAny: true,
      style: { singleQuote: true, printWidth: 100 },
      $refOptions: { resolve: { external: false } },
    });
  } catch (error) {
    const why = (error as Error).message.replaceAll('\n', ' ');
    const fix = 'write the types by hand, or simplify the schema';
    throw new OperatorFault(
      `${origin}: no types can be made of it: ${why}; fix: ${fix}`,
      EXIT.failed,
    );
  }
}

/** What `forebay types --help` prints. */
export function help(): string {
  return `forebay types --schema FILE [--out FILE]: TypeScript types for a handler

Prints a module that exports OrderData, the type of order.data, and the types
of the schemas in it. Without --schema they are those of the built-in order.
Rules that TypeScript cannot say, such as lengths and patterns, are left out:
the server checks them before the handler is called.

Options
  --schema FILE    JSON Schema, as for serve; also as a variable
  --config FILE    configuration file of serve
  --out FILE       write to this file, not to stdout

Examples
  forebay types --schema order.schema.json --out order.ts
  forebay types --schema order.schema.json | less

Exit codes
  0  the types are written
  1  the file cannot be written, or no types can be made of the schema
  2  an option or the schema is wrong
`;
}
