import { readFileSync, writeFileSync } from 'node:fs';

const PAGE = 4096;
/** Of the first two pages, which describe the whole file. */
const META_BYTES = 168;

/** Whole numbers from 0 to below `n`; mulberry32. */
export type Random = (n: number) => number;

export function random(seed: number): Random {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

/** The pages of a journal that are in use or free: behind them are spare pages. */
export function usedPages(file: Buffer): number {
  const lastPage = (meta: number) => Number(file.readBigUInt64LE(meta * PAGE + 24 + 120));
  return Math.max(lastPage(0), lastPage(1)) + 1;
}

const WAYS: readonly ((file: Buffer, random: Random) => Buffer)[] = [
  function cutAnywhere(file, below) {
    return file.subarray(0, below(file.length));
  },
  function cutBehindPage(file, below) {
    return file.subarray(0, below(usedPages(file)) * PAGE);
  },
  function fillPage(file, below) {
    const at = below(usedPages(file)) * PAGE;
    for (let i = 0; i < PAGE; i++) file[at + i] = below(256);
    return file;
  },
  function blankPage(file, below) {
    const at = below(usedPages(file)) * PAGE;
    return file.fill(0, at, at + PAGE);
  },
  function copyPage(file, below) {
    const [from, to] = [below(usedPages(file)) * PAGE, below(usedPages(file)) * PAGE];
    file.copy(file, to, from, from + PAGE);
    return file;
  },
  function changeHead(file, below) {
    const at = below(usedPages(file)) * PAGE;
    for (let i = 0; i < 4; i++) file[at + below(64)] = below(256);
    return file;
  },
  function flipBit(file, below) {
    const at = below(usedPages(file)) * PAGE + below(PAGE);
    file[at]! ^= 1 << below(8);
    return file;
  },
  function changeMeta(file, below) {
    file[below(2) * PAGE + below(META_BYTES)] = below(256);
    return file;
  },
  function copyMeta(file, below) {
    const from = below(2) * PAGE;
    file.copy(file, PAGE - from, from, from + META_BYTES);
    return file;
  },
];

/** Damages a journal in a way that follows from the seed. @returns the way, for messages */
export function damage(path: string, seed: number): string {
  const below = random(seed);
  const way = WAYS[below(WAYS.length)]!;
  writeFileSync(path, way(readFileSync(path), below));
  return `${way.name}, seed ${seed}`;
}
