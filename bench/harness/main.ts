/**
 * `npm run bench`: Forebay and the usual alternatives in one run, each as a share of bare uWebSockets.js. They take turns, so
 * that a slow minute of the machine affects all.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { leaveNothingBehind } from '../../drills/processes.js';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { bare } from '../contestants/bare.js';
import { forebay } from '../contestants/forebay.js';
import { others } from '../contestants/others.js';
import { benchHelp, parseBenchOptions } from './bench-options.js';
import { classTables } from './classes.js';
import { writeDocs } from './pages.js';
import { readReport, reportText } from './report.js';
import { toRows } from './rows.js';
import { summary } from './tables.js';
import { takeReport } from './take-report.js';

/** In the order in which they take turns and appear in tables; the reference is the first. */
const contestants = [...bare, ...forebay, ...others];

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
  // Printed from what is saved, so that the pages can be generated from it again.
  const report = readReport(text);
  console.log(options.classes ? classTables(report) : summary(report));
  if (json !== null) await writeFile(json, text);
  if (options.write) {
    for (const path of await writeDocs(report, options.classes)) console.error(`written: ${path}`);
  }
  const isWrong = toRows(report).some(({ errors }) => errors > 0);
  if (isWrong || report.leftOut.some(({ isFailure }) => isFailure)) process.exitCode = EXIT.failed;
}

// The exit event kills the servers that run.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => process.exit(EXIT.failed));
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = error instanceof OperatorFault ? error.exitCode : EXIT.failed;
});
