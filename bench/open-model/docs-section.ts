import { readFile, writeFile } from 'node:fs/promises';

const PAGE = new URL('../../../docs/guides/performance.md', import.meta.url);

/** Puts `text` between the markers of that name in docs/guides/performance.md. @throws Error when they are not there */
export async function writeSection(name: string, text: string): Promise<void> {
  const page = await readFile(PAGE, 'utf8');
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`docs/guides/performance.md has no ${begin} with ${end}`);
  await writeFile(PAGE, `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`);
}
