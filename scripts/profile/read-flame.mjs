import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** States of V8 as the profile numbers them (src/logging/log.h, `StateTag`). */
const STATE_COMPILER = 4;
const STATE_IDLE = 8;

/** Functions of this project and its packages that are shown at most. */
const FUNCTIONS_MAX = 25;
const SHARE_MIN = 0.01;

/**
 * What a profile of 0x says, in text: the share of the busy time that was spent in each kind of native code, and
 * under each function of the project and its packages, what it called included.
 *
 * @param {string} folder where 0x left its files
 * @returns {string}
 */
export function readFlame(folder) {
  const file = readdirSync(folder).find((name) => name.endsWith('.log.json'));
  if (file === undefined) return 'no ticks were written beside the page\n';
  const { ticks, code } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const idle = ticks.filter(
    ({ vm, s }) => vm === STATE_IDLE || nameOf(code, s[0]).startsWith('epoll'),
  );
  const own = ticks.filter((tick) => isProfilers(tick, code));
  const left = new Set([...idle, ...own]);
  const busy = ticks.filter((tick) => !left.has(tick));
  const lines = [
    `${ticks.length} ticks: ${idle.length} idle, ${own.length} of the profiler itself, ${busy.length} busy, of which`,
    ...table(topOfStack(busy, code), busy.length),
    'and, with all that they call:',
    ...table(everywhere(busy, code), busy.length).slice(0, FUNCTIONS_MAX),
  ];
  return `${lines.join('\n')}\n`;
}

/** V8 writes a line for each piece of code that it makes or moves, while it is profiled. */
function isProfilers({ vm, s }, code) {
  return vm === STATE_COMPILER && /write|ostream|_IO_/.test(nameOf(code, s[0]));
}

function topOfStack(ticks, code) {
  return count(ticks, ({ s }) => [kindOf(code[s[0]])]);
}

function everywhere(ticks, code) {
  return count(ticks, ({ s }) => {
    // Pairs of code and place in it.
    const names = s.filter((_, i) => i % 2 === 0).map((index) => nameOf(code, index));
    return new Set(names.map(shortName).filter((name) => name !== null));
  });
}

function nameOf(code, index) {
  return code[index]?.name ?? '';
}

function kindOf(found) {
  if (found === undefined) return 'built-in functions of V8 without a name';
  const { type, name } = found;
  if (type === 'JS') return 'compiled JavaScript';
  if (type === 'CODE') return 'built-in functions of V8';
  if (type === 'SHARED_LIB') return name.endsWith('/node') ? 'node: V8, libuv' : 'libraries';
  return `${name.replace(/@@.*/, '').replace(/^_+/, '')}()`;
}

/** `scanCompact src/schema/compact-scan.js`; null for what is neither the project's nor a package's. */
function shortName(name) {
  const found = /^(.*) (?:file:\/\/)?\S*?\/(?:dist\/(src|workers)|node_modules)\/([^:]+)/.exec(
    name,
  );
  if (found === null) return null;
  const [, called, ours, path] = found;
  return `${called || '(anonymous)'} ${ours === undefined ? path : `${ours}/${path}`}`;
}

function count(ticks, namesOf) {
  const counts = new Map();
  for (const tick of ticks) {
    for (const name of namesOf(tick)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function table(counts, whole) {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .filter(([, n]) => n / whole >= SHARE_MIN)
    .map(([name, n]) => `  ${((100 * n) / whole).toFixed(1).padStart(5)}%  ${name}`);
}
