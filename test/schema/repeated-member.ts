/** A token of a valid JSON text: a string, a brace or bracket, a colon or comma, or a run of other characters. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^"{}[\]:,]+/gs;

/**
 * Whether a JSON text is an object with two members of the same name, escaped or not. False for other values. Nested
 * members do not count.
 */
export function hasRepeatedMember(text: string): boolean {
  const open: string[] = [];
  const names = new Set<string>();
  let last = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(token);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':' && open.length === 1 && open[0] === '{') {
      const name: string = JSON.parse(last);
      if (names.has(name)) return true;
      names.add(name);
    }
    if (token.trim() !== '') last = token;
  }
  return false;
}
