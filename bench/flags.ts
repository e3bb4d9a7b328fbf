import { type ParseArgsConfig, parseArgs } from 'node:util';
import { EXIT } from '../src/model/fault.js';

type Flags = NonNullable<ParseArgsConfig['options']>;

/** The options of a benchmark. With `--help`, or an option it does not know, prints that and ends the process. */
export function benchFlags<const T extends Flags>(options: T) {
  if (process.argv.includes('--help')) {
    process.stdout.write(
      `Options and their defaults; see docs/guides/performance.md for what is measured\n${lines(options)}\n`,
    );
    process.exit(EXIT.ok);
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    const [what] = (error as Error).message.split(/\n|\. /);
    console.error(`${what}; options: ${names(options).join(', ')}`);
    process.exit(EXIT.usage);
  }
}

function names(options: Flags): string[] {
  return Object.keys(options).map((name) => `--${name}`);
}

function lines(options: Flags): string {
  return Object.entries(options)
    .map(([name, flag]) => `  --${name} ${flag.default || ''}`.trimEnd())
    .join('\n');
}
