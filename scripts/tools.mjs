#!/usr/bin/env node
// Installs the programs that the tests, the wave checks and the benchmark need, and prints their paths:
//   node scripts/tools.mjs nats-server k6
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { tools } from './tools/catalogue.mjs';
import { withLock } from './tools/lock.mjs';
import { findProgram, isExecutable, progress } from './tools/programs.mjs';
import { aptInstall } from './tools/sources.mjs';

const FOLDER = fileURLToPath(new URL('../.tools', import.meta.url));

/**
 * @param {string} name a key of the catalogue
 * @param {string} [folder] where programs are kept
 * @returns {Promise<string>} absolute path of the program
 * @throws {Error} one line that says how to get it
 */
export async function ensureTool(name, folder = FOLDER) {
  const tool = toolOf(name);
  const present = await findPresent(tool, tool.accept, folder);
  if (present !== null) return present;
  mkdirSync(folder, { recursive: true });
  return withLock(join(folder, `${name}.lock`), async () => {
    // Another process may have installed it while this one waited for the lock.
    return (await findPresent(tool, tool.accept, folder)) ?? (await install(name, tool, folder));
  });
}

/**
 * @param {string} name a key of the catalogue
 * @param {string} [folder] where programs are kept
 * @returns {Promise<string | null>} absolute path of the program if it is installed, also in an older version; nothing is installed
 */
export function findTool(name, folder = FOLDER) {
  const tool = toolOf(name);
  return findPresent(tool, tool.acceptAtWorst, folder);
}

function toolOf(name) {
  const tool = tools[name];
  if (tool !== undefined) return tool;
  throw new Error(`no such tool: ${name} (there are: ${Object.keys(tools).join(', ')})`);
}

async function findPresent(tool, accept, folder) {
  for (const file of [findProgram(tool.program), join(folder, tool.file)]) {
    if (file !== null && isExecutable(file) && (await isAccepted(tool, accept, file))) return file;
  }
  return null;
}

/** Some programs print their version and fail (wrk), so their output counts and not their exit code. */
function isAccepted(tool, accept, file) {
  return new Promise((resolve) => {
    execFile(file, tool.versionArgs, { timeout: 10_000 }, (_error, stdout, stderr) => {
      resolve(accept.test(stdout + stderr));
    });
  });
}

async function install(name, tool, folder) {
  const failures = [];
  for (const attempt of waysToInstall(tool, join(folder, tool.file))) {
    try {
      await attempt();
    } catch (error) {
      failures.push(error.message);
      continue;
    }
    const installed = await findPresent(tool, tool.accept, folder);
    if (installed !== null) {
      progress(`${name} is at ${installed}`);
      return installed;
    }
  }
  const atWorst = await findPresent(tool, tool.acceptAtWorst, folder);
  if (atWorst === null) {
    throw new Error(`${name} is missing: ${tool.remedy} (tried: ${failures.join('; ')})`);
  }
  progress(
    `${atWorst} is an older version, because no newer one could be installed; ${tool.remedy}`,
  );
  return atWorst;
}

function waysToInstall(tool, file) {
  const ways = tool.sources.map((source) => () => source(file));
  if (tool.aptPackage !== null) ways.push(() => aptInstall(tool.aptPackage));
  return ways;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    for (const name of process.argv.slice(2)) console.log(await ensureTool(name));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
