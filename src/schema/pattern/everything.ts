import {
  ASTRAL_FIRST,
  type CodePoints,
  SURROGATE_FIRST,
  SURROGATE_LAST,
  unite,
} from './code-points.js';

/** The last version of Unicode that this knows: up to it, planes 4 to 13 have no characters. */
const UNICODE_KNOWN = 17;
const PLANE = 0x10000;
/** The last two code points of each plane are no characters for ever. */
const NO_CHARACTERS = 2;
/** Planes whose code points are all of the same kind, but for the last two: not assigned, and for private use. */
const UNIFORM_PLANES = [
  [4, 13],
  [15, 16],
] as const;

/** Asks the RegExp of this process which code points match a class that names none of planes 4 to 13, 15 and 16 itself. */
export class Everything {
  readonly #uniform =
    Number.parseInt(process.versions.unicode!, 10) <= UNICODE_KNOWN ? UNIFORM_PLANES : [];
  /** The code points that are asked about in one text, as ranges in ascending order. Surrogates are asked about one by one. */
  readonly #ranges: readonly (readonly [number, number])[] = askedRanges(this.#uniform);
  #text = '';

  /** @param raw the source of a pattern for one character */
  matching(raw: string, flags: string): CodePoints {
    if (this.#text === '') this.#text = textOf(this.#ranges);
    const found: [number, number][] = [];
    const runs = new RegExp(`(?:${raw})+`, `g${flags}`);
    for (let run = runs.exec(this.#text); run !== null; run = runs.exec(this.#text)) {
      this.#add(found, run.index, runs.lastIndex);
    }
    const one = new RegExp(`^(?:${raw})$`, flags);
    for (let code = SURROGATE_FIRST; code <= SURROGATE_LAST; code += 1) {
      if (one.test(String.fromCharCode(code))) found.push([code, code]);
    }
    return unite(found.flatMap((range) => spread(range, this.#uniform)));
  }

  /** Adds the code points of the text from one index to another. */
  #add(found: [number, number][], from: number, to: number): void {
    let at = 0;
    for (const [first, last] of this.#ranges) {
      const units = first < ASTRAL_FIRST ? 1 : 2;
      const end = at + units * (last - first + 1);
      if (end > from && at < to) {
        const low = first + Math.max(0, from - at) / units;
        const high = first + (Math.min(to, end) - at) / units - 1;
        found.push([low, high]);
      }
      at = end;
    }
  }
}

type Planes = readonly (readonly [number, number])[];

function askedRanges(uniform: Planes): (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [
    [0, SURROGATE_FIRST - 1],
    [SURROGATE_LAST + 1, ASTRAL_FIRST - 1],
  ];
  for (let plane = 1; plane <= 16; plane += 1) {
    const first = plane * PLANE;
    const isUniform = uniform.some(([low, high]) => plane >= low && plane <= high);
    if (!isUniform) ranges.push([first, first + PLANE - 1]);
    else if (uniform.some(([low]) => plane === low)) {
      ranges.push([first, first], [first + PLANE - NO_CHARACTERS, first + PLANE - NO_CHARACTERS]);
    }
  }
  return ranges;
}

/** What is known of the first plane of uniform ones holds for the others. */
function spread([first, last]: readonly [number, number], uniform: Planes): [number, number][] {
  const found: [number, number][] = [[first, last]];
  for (const [low, high] of uniform) {
    for (let plane = low; plane <= high; plane += 1) {
      const start = plane * PLANE;
      const end = start + PLANE - 1;
      const sample = low * PLANE;
      if (first <= sample && sample <= last) found.push([start, end - NO_CHARACTERS]);
      const noCharacter = sample + PLANE - NO_CHARACTERS;
      if (first <= noCharacter && noCharacter <= last) found.push([end - NO_CHARACTERS + 1, end]);
    }
  }
  return found;
}

function textOf(ranges: readonly (readonly [number, number])[]): string {
  const length = ranges.reduce(
    (sum, [first, last]) => sum + (last - first + 1) * (first < ASTRAL_FIRST ? 1 : 2),
    0,
  );
  const units = new Uint16Array(length);
  let at = 0;
  for (const [first, last] of ranges) {
    for (let code = first; code <= last; code += 1) {
      if (code < ASTRAL_FIRST) units[at++] = code;
      else {
        units[at++] = 0xd800 | ((code - ASTRAL_FIRST) >> 10);
        units[at++] = 0xdc00 | (code & 0x3ff);
      }
    }
  }
  return Buffer.from(units.buffer).toString('utf16le');
}
