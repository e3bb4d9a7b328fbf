import assert from 'node:assert/strict';

/** Elements that have no end, in HTML; SVG's end themselves with `/>`. */
const VOID = ['meta', 'link', 'br', 'input', 'img', 'hr'];
const RAW = /<(style|script)\b[^>]*>[\s\S]*?<\/\1>/g;
const TAG = /<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z:-]+(?:="[^"<>]*")?)*)\s*(\/?)>/g;

/** @throws AssertionError an element is not closed where it must be, or a bare < stands in text */
export function assertWellFormed(html: string): void {
  const markup = html.replace(/^<!doctype html>/, '').replace(RAW, '');
  const open: string[] = [];
  for (const [, slash, name, , selfEnded] of markup.matchAll(TAG)) {
    if (slash === '/') assert.equal(open.pop(), name);
    else if (selfEnded !== '/' && !VOID.includes(name!)) open.push(name!);
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(markup.replace(TAG, ''), /[<>]/);
}

/** @throws AssertionError the page would ask for anything that is not in it */
export function assertSelfContained(html: string): void {
  const asked = html.matchAll(/\b(?:src|href|srcset|action|data|poster)\s*=\s*"([^"]*)"/g);
  for (const [, target] of asked) assert.match(target!, /^(data:|#)/);
  assert.doesNotMatch(
    html,
    /url\(|@import|@font-face|https?:\/\/|<(iframe|object|embed|base|form)\b/,
  );
  const scripts = Array.from(html.matchAll(/<script\b([^>]*)>/g), ([, attributes]) => attributes);
  assert.deepEqual(scripts, [' type="application/json" id="story"']);
}

/** The cells of the row of a table whose first one is this, as text. */
export function rowOf(html: string, first: string): string[] {
  for (const [, row] of html.matchAll(/<tr>([\s\S]*?)<\/tr>/g)) {
    const cells = Array.from(
      row!.matchAll(/<(?:th|td)[^>]*>([\s\S]*?)<\/(?:th|td)>/g),
      ([, cell]) => textOf(cell!),
    );
    if (cells[0] === first) return cells.slice(1);
  }
  throw new Error(`no row ${first}`);
}

/** What the page's data block holds. */
export function dataOf(html: string): unknown {
  return JSON.parse(/<script type="application\/json" id="story">(.*?)<\/script>/s.exec(html)![1]!);
}

export function textOf(html: string): string {
  return html
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .trim();
}
