/** The pages of the project, as the tests of the docs read them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..', '..');

/** Folders with pages that are not ours, or with no pages. */
const LEFT_OUT = new Set(['node_modules', 'dist', 'data', 'profiles', 'story']);

export interface CodeBlock {
  readonly page: string;
  /** Of its first line in the page; 1 is the first. */
  readonly line: number;
  /** After the fence, such as `sh`; empty if there is none. */
  readonly language: string;
  readonly text: string;
  /** The reason in `<!-- not run: reason -->` above the block, or null. */
  readonly notRun: string | null;
}

/** Paths of all Markdown files, from the root. */
export const pages: readonly string[] = markdownIn('');

function markdownIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      const isOurs = !entry.name.startsWith('.') || entry.name === '.github';
      return isOurs && !LEFT_OUT.has(entry.name) ? markdownIn(path) : [];
    }
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function codeBlocks(page: string): CodeBlock[] {
  const fence = /^( *)```(\w*).*\n([\s\S]*?)^\1```$/gm;
  const text = read(page);
  return Array.from(text.matchAll(fence), ({ 2: language = '', 3: body = '', index }) => {
    const before = text.slice(0, index);
    return {
      page,
      line: before.split('\n').length + 1,
      language,
      text: body,
      notRun: before.match(/<!-- not run: ([^\n]+) -->\s*$/)?.[1] ?? null,
    };
  });
}

/** A page without its code blocks and code spans: what is left has links. */
export function prose(page: string): string {
  return read(page)
    .replace(/^( *)```[\s\S]*?^\1```$/gm, '')
    .replace(/`[^`\n]*`/g, 'code');
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchors(page: string): string[] {
  const seen = new Map<string, number>();
  const text = read(page).replace(/^( *)```[\s\S]*?^\1```$/gm, '');
  return Array.from(text.matchAll(/^#+ (.*)$/gm), ([, title]) => {
    const anchor = title!
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}
