import { type ParseArgsConfig, parseArgs } from 'node:util';
import { EXIT } from '../src/model/fault.js';

type Flags = NonNullable<ParseArgsConfig['options']>;

/** What a benchmark was started with. For `--help`, and for what it does not take, that is told and the process ends. */
export function benchFlags<const T extends Flags>(options: T) {
  if (process.argv.includes('--help')) {
    process.stdout.write(
      `Options, with their defaults; docs/guides/performance.md has what it measures\n${lines(options)}\n`,
    );
    process.exit(EXIT.ok);
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    const [what] = (error as Error).message.split(/\n|\. /);
    console.error(`${what}; it takes ${names(options).join(', ')}`);
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
