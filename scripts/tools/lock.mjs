import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 200;
/** How long a holder may take between creating the folder and writing its process id. */
const UNSIGNED_MS_MAX = 5_000;

/**
 * Runs `work` while it holds the folder `lock`: creating a folder is atomic, so one process at a time
 * gets it. A lock whose holder has died is taken over. The lock only saves a second process the same
 * work: a program is moved into place when it is complete, so two at once do no harm.
 *
 * @template T
 * @param {string} lock a path whose parent exists
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(lock, work) {
  while (!take(lock)) {
    if (isAbandoned(lock)) breakLock(lock);
    else await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function take(lock) {
  try {
    mkdirSync(lock);
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(join(lock, 'pid'), String(process.pid));
  return true;
}

function isAbandoned(lock) {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    if (error.code === 'ESRCH') return true;
    if (error.code !== 'ENOENT') return false;
  }
  try {
    return Date.now() - statSync(lock).mtimeMs > UNSIGNED_MS_MAX;
  } catch {
    return false;
  }
}

/** Renames first: if several processes find the lock abandoned, only one of them removes it. */
function breakLock(lock) {
  const grave = `${lock}.${process.pid}`;
  try {
    renameSync(lock, grave);
  } catch {
    return;
  }
  rmSync(grave, { recursive: true, force: true });
}
