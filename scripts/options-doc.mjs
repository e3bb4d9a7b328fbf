// Writes docs/reference/options.md, docs/reference/metrics.md and Grafana's dashboard from what is compiled.
// Usage: node scripts/options-doc.mjs [folder of the compiled output, default dist]
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compiled = resolve(root, process.argv[2] ?? 'dist');
const load = (file) => import(pathToFileURL(join(compiled, file)).href);

const { optionsDoc } = await load('src/options/help.js');
const { metricsDoc } = await load('src/metrics/docs.js');
const { dashboardJson } = await load('monitoring/dashboard/dashboard.js');
mkdirSync(join(root, 'docs', 'reference'), { recursive: true });
writeFileSync(join(root, 'docs', 'reference', 'options.md'), optionsDoc());
writeFileSync(join(root, 'docs', 'reference', 'metrics.md'), metricsDoc());
writeFileSync(join(root, 'monitoring', 'grafana', 'dashboards', 'forebay.json'), dashboardJson());
