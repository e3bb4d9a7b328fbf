// Writes docs/options.md and docs/metrics.md from the compiled schema and catalogue.
// Usage: node scripts/options-doc.mjs [folder of the compiled output, default dist]
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compiled = resolve(root, process.argv[2] ?? 'dist', 'src');
const load = (file) => import(pathToFileURL(join(compiled, file)).href);

const { optionsDoc } = await load('options/docs.js');
const { metricsDoc } = await load('metrics/docs.js');
mkdirSync(join(root, 'docs'), { recursive: true });
writeFileSync(join(root, 'docs', 'options.md'), optionsDoc());
writeFileSync(join(root, 'docs', 'metrics.md'), metricsDoc());
