import { readFile, writeFile } from 'node:fs/promises';

/** From dist/bench: documents lie outside what is compiled. */
const ROOT = new URL('../../', import.meta.url);

/** Replaces what stands between `<!-- name:begin -->` and `<!-- name:end -->`. @throws Error if the markers are missing */
export function withSection(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page must contain ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}

/** @param path from the project's root */
export async function writeSection(path: string, name: string, text: string): Promise<void> {
  const file = new URL(path, ROOT);
  await writeFile(file, withSection(await readFile(file, 'utf8'), name, text));
}
