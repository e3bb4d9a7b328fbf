/** A token of a valid JSON text: a string, a brace or bracket, a colon or comma, or a run of other characters. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^"{}[\]:,]+/gs;

export interface Structure {
  /** Most arrays and objects inside each other. */
  readonly depth: number;
  /** Whether an object has two members of the same name, escaped or not. */
  readonly repeats: boolean;
}

/** What JSON.parse does not tell of a valid JSON text. */
export function structureOf(text: string): Structure {
  const open: Set<string>[] = [];
  let depth = 0;
  let repeats = false;
  let last = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') depth = Math.max(depth, open.push(new Set()));
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const name: string = JSON.parse(last);
      const names = open.at(-1)!;
      if (names.has(name)) repeats = true;
      names.add(name);
    }
    if (token.trim() !== '') last = token;
  }
  return { depth, repeats };
}
