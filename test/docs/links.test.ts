import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { anchors, codeBlocks, pages, prose, ROOT, read } from './pages.js';

/** Links of the forms `[text](target)` and `<img src="target">`, without those to other hosts. */
function localLinks(page: string): string[] {
  const text = prose(page);
  const inText = Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link!);
  const inTags = Array.from(text.matchAll(/\b(?:href|src)="([^"]+)"/g), ([, link]) => link!);
  return [...inText, ...inTags].filter((link) => !/^[a-z]+:/.test(link));
}

function targetOf(page: string, link: string): { path: string; anchor: string | undefined } {
  const [path, anchor] = link.split('#') as [string, string?];
  return { path: path === '' ? page : join(dirname(page), path), anchor };
}

describe('Markdown pages', () => {
  it('have only links that resolve, with their anchors', () => {
    const broken: string[] = [];
    let checked = 0;
    for (const page of pages) {
      for (const link of localLinks(page)) {
        checked++;
        const { path, anchor } = targetOf(page, link);
        const isThere = existsSync(join(ROOT, path));
        const hasAnchor =
          anchor === undefined || (path.endsWith('.md') && anchors(path).includes(anchor));
        if (!isThere || !hasAnchor) broken.push(`${page}: ${link}`);
      }
    }
    assert.deepEqual(broken, []);
    assert.ok(checked > 200, `${checked}`);
  });

  it('of docs/ are each reached from the index', () => {
    const linked = new Set(
      localLinks('docs/README.md').map((link) => targetOf('docs/README.md', link).path),
    );
    const missing = pages.filter(
      (page) => page.startsWith('docs/') && page !== 'docs/README.md' && !linked.has(page),
    );
    assert.deepEqual(missing, []);
  });

  it('exist where code, alerts and scripts name them', () => {
    const folders = ['src', 'workers', 'drills', 'bench', 'k6', 'monitoring', 'scripts', 'test'];
    const files = folders.flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(m?[jt]s|json|ya?ml|conf|html)$/.test(name))
        .filter((name) => !name.includes('node_modules'))
        .map((name) => `${folder}/${name}`),
    );
    const missing = files.flatMap((file) =>
      Array.from(read(file).matchAll(/\bdocs\/[\w/-]+\.md\b/g), ([page]) => page)
        .filter((page) => !existsSync(join(ROOT, page)))
        .map((page) => `${file}: ${page}`),
    );
    assert.deepEqual(missing, []);
  });

  it('do not mark blocks as not run that have no commands', () => {
    const marks = pages.map((page) => read(page).match(/^ *<!-- not run:/gm)?.length ?? 0);
    const marked = pages.map((page) => codeBlocks(page).filter(isMarkedShell).length);
    assert.deepEqual(marks, marked);
  });
});

function isMarkedShell({ language, notRun }: { language: string; notRun: string | null }): boolean {
  return language === 'sh' && notRun !== null;
}
