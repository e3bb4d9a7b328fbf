/** A string, a brace or bracket, a colon or comma, or a run of anything else, of a valid JSON text. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^"{}[\]:,]+/gs;

/**
 * Whether the object that a JSON text is has two members of one name, in whatever spelling. False for
 * texts of other values. Members of members don't count: no order has any.
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
