import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** V8's states, as numbered in the profile (src/logging/log.h, `StateTag`). */
const STATE_COMPILER = 4;
const STATE_IDLE = 8;

/** The most functions that are shown. */
const FUNCTIONS_MAX = 25;
const SHARE_MIN = 0.01;

/**
 * The summary of a profile of 0x: the share of the busy time by what is on top of the stack, and by function of the
 * project and its packages, including what they call.
 *
 * @param {string} folder the output folder of 0x
 * @returns {string}
 */
export function readFlame(folder) {
  const file = readdirSync(folder).find((name) => name.endsWith('.log.json'));
  if (file === undefined) return '0x wrote no ticks\n';
  const { ticks, code } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const idle = ticks.filter(
    ({ vm, s }) => vm === STATE_IDLE || nameOf(code, s[0]).startsWith('epoll'),
  );
  const own = ticks.filter((tick) => isProfilers(tick, code));
  const left = new Set([...idle, ...own]);
  const busy = ticks.filter((tick) => !left.has(tick));
  const lines = [
    `${ticks.length} ticks: ${idle.length} idle, ${own.length} of the profiler itself, ${busy.length} busy; top of the stack:`,
    ...table(topOfStack(busy, code), busy.length),
    'functions, including what they call:',
    ...table(everywhere(busy, code), busy.length).slice(0, FUNCTIONS_MAX),
  ];
  return `${lines.join('\n')}\n`;
}

/** While it is profiled, V8 logs each piece of code that it compiles or moves. */
function isProfilers({ vm, s }, code) {
  return vm === STATE_COMPILER && /write|ostream|_IO_/.test(nameOf(code, s[0]));
}

function topOfStack(ticks, code) {
  return count(ticks, ({ s }) => [kindOf(code[s[0]])]);
}

function everywhere(ticks, code) {
  return count(ticks, ({ s }) => {
    // s alternates: index of the code, position in it.
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

/** `scanCompact src/schema/compact-scan.js`; null for functions of neither the project nor a package. */
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
