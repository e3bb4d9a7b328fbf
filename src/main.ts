#!/usr/bin/env node
/** The forebay command. */
import { EXIT, OperatorFault } from './contract/fault.js';

const USAGE = `forebay: takes orders through the wave, durable before the answer

  forebay serve [options]   take and process orders (the default); forebay serve --help
  forebay dlq COMMAND       list, show, replay or drop dead letters; forebay dlq --help
  forebay wave [options]    drive a sine wave of orders at a server; forebay wave --help
  forebay story [options]   the wave without and with a queue, measured, as a page; forebay story --help
`;

async function run(argv: readonly string[]): Promise<void> {
  const [first = 'serve', ...rest] = argv;
  if (first === 'help' || first === '--help' || first === '-h') {
    process.stdout.write(USAGE);
  } else if (first === 'serve' || first.startsWith('--')) {
    const { serve } = await import('./serve.js');
    await serve(first === 'serve' ? rest : argv);
  } else if (first === 'dlq') {
    const { dlq } = await import('./dlq.js');
    process.exitCode = await dlq(rest);
  } else if (first === 'wave') {
    const { wave } = await import('./wave/command.js');
    process.exitCode = await wave(rest);
  } else if (first === 'story') {
    const { story } = await import('./story/command.js');
    process.exitCode = await story(rest);
  } else {
    throw new OperatorFault(
      `unknown command ${first}: it is serve, dlq, wave or story`,
      EXIT.usage,
    );
  }
}

run(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof OperatorFault)) throw error;
  process.stderr.write(`forebay: ${error.message}\n`);
  process.exit(error.exitCode);
});
