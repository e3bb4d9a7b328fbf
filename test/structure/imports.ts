import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** The folders that hold code. */
export const CODE = [
  'src',
  'workers',
  'drills',
  'bench',
  'k6',
  'monitoring',
  'scripts',
  'test',
] as const;

export interface SourceFile {
  /** From the root of the project. */
  readonly path: string;
  readonly text: string;
  /** Packages, as they are written. */
  readonly packages: readonly string[];
  /** Files of the project, from the root; a path that is made of a template stands for its fixed beginning. */
  readonly files: readonly string[];
}

const IMPORTED =
  /(?:^|\n)\s*(?:import|export)\b[^'";]*?from '([^']+)'|(?:^|\n)import '([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;
/** Entries of threads and programs: their paths are made by URL, seen from the compiled file. */
const BY_URL = /new URL\(\s*(?:'([^']+)'|`([^`$]*\/)[^`]*`),\s*import\.meta\.url/g;

/** All code of the project, read once. */
export function readSources(): SourceFile[] {
  const paths = CODE.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|mjs|js)$/.test(name) && !/(^|\/)node_modules\//.test(name))
      .map((name) => join(folder, name)),
  );
  const known = new Set(paths);
  return paths.map((path) => readSource(path, known));
}

function readSource(path: string, known: ReadonlySet<string>): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const specifiers = Array.from(text.matchAll(IMPORTED), (found) => found.slice(1).find(Boolean)!);
  const written = specifiers
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => sourceOf(normalize(join(dirname(path), specifier)), known));
  const made = Array.from(text.matchAll(BY_URL), ([, whole, beginning]) => {
    const place = normalize(join('dist', dirname(path), (whole ?? beginning)!));
    return place.startsWith('dist/') ? sourceOf(place.slice('dist/'.length), known) : '';
  });
  return {
    path,
    text,
    packages: specifiers.filter((specifier) => !specifier.startsWith('.')),
    files: [...written, ...(path.endsWith('.ts') ? made.filter(Boolean) : [])],
  };
}

/** The file that the compiler makes the imported one from. */
function sourceOf(path: string, known: ReadonlySet<string>): string {
  const typed = path.replace(/\.js$/, '.ts');
  return known.has(typed) ? typed : path;
}

/** The first circle of imports, as the paths on it; empty where there is none. */
export function findCircle(files: readonly SourceFile[]): string[] {
  const imports = new Map(files.map((file) => [file.path, file.files]));
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (path: string): string[] => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return [];
    way.push(path);
    for (const imported of imports.get(path) ?? []) {
      const circle = imported === path ? [] : visit(imported);
      if (circle.length > 0) return circle;
    }
    way.pop();
    done.add(path);
    return [];
  };
  for (const { path } of files) {
    const circle = visit(path);
    if (circle.length > 0) return circle;
  }
  return [];
}
