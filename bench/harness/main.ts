/**
 * `npm run bench`: Forebay and what one would take instead, side by side in one run, each as a share of bare
 * uWebSockets.js. The contestants take turns, so that a slow spell of the machine meets them all.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { leaveNothingBehind } from '../../drills/story/processes.js';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { contestants } from '../contestants/all.js';
import { benchHelp, parseBenchOptions } from './bench-options.js';
import { readReport, reportText } from './report.js';
import { toRows } from './rows.js';
import { summary } from './summary.js';
import { takeReport } from './take-report.js';
import { writeDocs } from './write-docs.js';

async function main(args: readonly string[]): Promise<void> {
  const options = parseBenchOptions(args);
  if (options === null) {
    process.stdout.write(benchHelp());
    return;
  }
  leaveNothingBehind();
  const { from, json } = options;
  const text =
    from === null
      ? reportText(await takeReport(contestants, options))
      : await readFile(from, 'utf8');
  // What is shown is what is kept, so that the pages can be made again from it.
  const report = readReport(text);
  console.log(summary(report));
  if (json !== null) await writeFile(json, text);
  if (options.write) {
    for (const path of await writeDocs(report)) console.error(`written: ${path}`);
  }
  const isWrong = toRows(report).some(({ errors }) => errors > 0);
  if (isWrong || report.leftOut.some(({ isFailure }) => isFailure)) process.exitCode = EXIT.failed;
}

// Servers that run are killed when this process exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => process.exit(EXIT.failed));
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = error instanceof OperatorFault ? error.exitCode : EXIT.failed;
});
