#!/usr/bin/env node
/**
 * The forebay command. Handles signals first, because the kernel discards those that process 1 does not handle. Then
 * checks the version of Node, before it imports code that an old one cannot load.
 */

import { unsupportedNode } from './process/node-version.js';
import { openFilesFault } from './process/open-files.js';
import { ProcessSignals } from './process/signals.js';

const signals = new ProcessSignals();
const argv = process.argv.slice(2);
const oldNode = unsupportedNode(process.versions.node);
if (oldNode === null) {
  // A server that is told to stop before it has begun has stopped in order.
  const [command = 'serve'] = argv;
  if (command === 'serve' || command.startsWith('-')) signals.onStop(() => process.exit(0));
  signals.handleLost();
  try {
    const { runCommandLine } = await import('./cli/commands.js');
    await runCommandLine(argv, signals);
  } catch (error) {
    const fault = openFilesFault(error);
    if (fault === null) throw error;
    process.stderr.write(`forebay: ${fault}\n`);
    process.exit(1);
  }
} else {
  process.stderr.write(`forebay: ${oldNode}\n`);
  process.exitCode = 2;
}
