import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The compiled page/*.ts, and the files that are served as they are in the source folder. */
const COMPILED = fileURLToPath(new URL('./page/', import.meta.url));
const AS_WRITTEN = fileURLToPath(new URL('../../../src/admin/page/', import.meta.url));
const UPLOT = dirname(createRequire(import.meta.url).resolve('uplot'));

const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';

const MODULES = [
  'chart',
  'connection',
  'drain-control',
  'format',
  'latency-panel',
  'log-list',
  'main',
  'page',
  'palette',
  'panel',
  'panels',
  'ranges',
  'legend',
  'rows',
  'session',
  'statistics',
  'theme',
  'thread-table',
  'tiles',
] as const;

export interface PageFile {
  readonly type: string;
  readonly path: string;
}

/** Every file of the live page, by the path under which it is served. */
export const pageFiles: ReadonlyMap<string, PageFile> = new Map([
  ['/', { type: HTML, path: join(AS_WRITTEN, 'index.html') }],
  ['/page/page.css', { type: CSS, path: join(AS_WRITTEN, 'page.css') }],
  ['/page/drain-control.css', { type: CSS, path: join(AS_WRITTEN, 'drain-control.css') }],
  ['/page/icon.svg', { type: 'image/svg+xml', path: join(AS_WRITTEN, 'icon.svg') }],
  ['/page/uplot.css', { type: CSS, path: join(UPLOT, 'uPlot.min.css') }],
  ['/page/uplot.js', { type: SCRIPT, path: join(UPLOT, 'uPlot.esm.js') }],
  ...MODULES.map((name): [string, PageFile] => [
    `/page/${name}.js`,
    { type: SCRIPT, path: join(COMPILED, `${name}.js`) },
  ]),
]);

/** What is shown to somebody who is not logged in. */
export const loginPage: PageFile = { type: HTML, path: join(AS_WRITTEN, 'login.html') };

/** What that page loads. */
export const loginFiles: ReadonlyMap<string, PageFile> = new Map([
  ['/login/page.css', { type: CSS, path: join(AS_WRITTEN, 'page.css') }],
  ['/login/login.css', { type: CSS, path: join(AS_WRITTEN, 'login.css') }],
  ['/login/icon.svg', { type: 'image/svg+xml', path: join(AS_WRITTEN, 'icon.svg') }],
  ['/login/theme.js', { type: SCRIPT, path: join(COMPILED, 'theme.js') }],
  ['/login/login.js', { type: SCRIPT, path: join(COMPILED, 'login.js') }],
  ['/login/session.js', { type: SCRIPT, path: join(COMPILED, 'session.js') }],
]);

/** The files' contents, read once each. */
export class PageFiles {
  readonly #read = new Map<string, Promise<string>>();

  text({ path }: PageFile): Promise<string> {
    const known = this.#read.get(path);
    if (known !== undefined) return known;
    const text = readFile(path, 'utf8');
    this.#read.set(path, text);
    // A file that could not be read is read again at the next request.
    text.catch(() => this.#read.delete(path));
    return text;
  }
}
