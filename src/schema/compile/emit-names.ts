const encoder = new TextEncoder();

/** A string that the body may have here, and the code to run if so. */
export interface Case {
  readonly text: string;
  /** Runs after `at` was moved behind the closing quote. Must leave the labelled block or go on behind it. */
  readonly code: string;
}

/** The bytes of a string without escapes, and its closing quote; null if no such bytes can stand for it. */
export function bytesOf(text: string): Uint8Array | null {
  if (JSON.stringify(text) !== `"${text}"`) return null;
  return encoder.encode(`${text}"`);
}

interface Leaf {
  readonly bytes: Uint8Array;
  readonly code: string;
}

/**
 * Code that runs the case of the string at `at`, the offset of an opening quote, and goes on behind if there is none. It
 * branches on the byte by which most cases differ, so that a string is compared with one of them.
 */
export function emitCases(cases: readonly Case[]): string {
  const leaves: Leaf[] = [];
  for (const { text, code } of cases) {
    const bytes = bytesOf(text);
    if (bytes !== null) leaves.push({ bytes, code });
  }
  return emitGroup(leaves, new Set(), 0);
}

function emitGroup(leaves: readonly Leaf[], known: ReadonlySet<number>, ensured: number): string {
  if (leaves.length === 0) return '';
  const size = Math.min(...leaves.map(({ bytes }) => bytes.length)) + 1;
  const fits = size > ensured ? [`at + ${size} <= end`] : [];
  if (leaves.length === 1) {
    const { bytes, code } = leaves[0]!;
    const tests = [...fits];
    for (const [i, byte] of bytes.entries()) {
      if (!known.has(i)) tests.push(`b[at + ${i + 1}] === ${byte}`);
    }
    const test = tests.length > 0 ? `if (${tests.join(' && ')}) ` : '';
    return `${test}{ at += ${bytes.length + 1};\n${code} }\n`;
  }
  const place = bestPlace(leaves, size - 1);
  const byByte = groupBy(leaves, place);
  const cases = [...byByte].map(([byte, group]) => {
    const inner = emitGroup(group, new Set([...known, place]), Math.max(size, ensured));
    return `case ${byte}: ${inner} break;\n`;
  });
  const branch = `switch (b[at + ${place + 1}]) {\n${cases.join('')}}\n`;
  return fits.length > 0 ? `if (${fits[0]}) { ${branch} }\n` : branch;
}

function groupBy(leaves: readonly Leaf[], place: number): Map<number, Leaf[]> {
  const groups = new Map<number, Leaf[]>();
  for (const leaf of leaves) {
    const byte = leaf.bytes[place]!;
    const group = groups.get(byte);
    if (group === undefined) groups.set(byte, [leaf]);
    else group.push(leaf);
  }
  return groups;
}

/** The place, within `size` bytes, with the most different bytes. */
function bestPlace(leaves: readonly Leaf[], size: number): number {
  let best = 0;
  let most = 0;
  for (let place = 0; place < size; place++) {
    const different = new Set(leaves.map(({ bytes }) => bytes[place]!)).size;
    if (different <= most) continue;
    most = different;
    best = place;
  }
  return best;
}
