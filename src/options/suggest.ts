/**
 * Edits between two words: insertions, deletions, substitutions, and swaps of neighbours
 * (Damerau–Levenshtein in its optimal-alignment form).
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
      }
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}

/** The name closest to `typed`; the first of several that are equally close. */
export function nearest(typed: string, names: readonly string[]): string {
  let best = names[0];
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const distance = editDistance(typed, name);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** The name that was probably meant, if one is close enough. */
export function closeName(typed: string, names: readonly string[]): string | undefined {
  const closest = nearest(typed, names);
  const editsMax = Math.max(1, Math.min(typed.length, closest.length) / 3);
  return editDistance(typed, closest) <= editsMax ? closest : undefined;
}

/** The end of an "unknown name" message: the closest name if it is close enough, else a pointer to --help. */
export function suggestion(
  typed: string,
  names: readonly string[],
  write: (name: string) => string,
): string {
  const closest = closeName(typed, names);
  return closest === undefined ? 'see --help' : `did you mean ${write(closest)}?`;
}
