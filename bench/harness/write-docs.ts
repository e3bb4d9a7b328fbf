import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chart } from './chart.js';
import { excerpt, page, withExcerpt } from './page.js';
import { type Report, reportText } from './report.js';

/** From dist/bench/harness: the pages lie outside what is compiled. */
const ROOT = new URL('../../../', import.meta.url);

/** All that is made from a run, each by its path from the root. */
export function docsOf(report: Report, readme: string): ReadonlyMap<string, string> {
  return new Map([
    ['docs/benchmarks/latest.json', reportText(report)],
    ['docs/benchmarks/chart.svg', chart(report)],
    ['docs/reference/benchmarks.md', page(report)],
    ['README.md', withExcerpt(readme, excerpt(report))],
  ]);
}

/** @returns the paths of what was written */
export async function writeDocs(report: Report): Promise<string[]> {
  const readme = await readFile(new URL('README.md', ROOT), 'utf8');
  await mkdir(new URL('docs/benchmarks/', ROOT), { recursive: true });
  const files = [...docsOf(report, readme)];
  for (const [path, text] of files) await writeFile(new URL(path, ROOT), text);
  return files.map(([path]) => fileURLToPath(new URL(path, ROOT)));
}
