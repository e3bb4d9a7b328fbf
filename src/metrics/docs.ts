import { histogramFamilies } from './histogram-names.js';
import {
  type CellFamily,
  counterFamilies,
  gaugeFamilies,
  keyFamily,
  liveFamilies,
  reasonFamily,
} from './names.js';
import { processFamilies } from './process-names.js';

/** The text of docs/reference/metrics.md, generated from the catalogue. */
export function metricsDoc(): string {
  return [
    '# Metrics',
    '',
    'Generated from src/metrics/names.ts by `npm run docs`; do not edit.',
    '',
    '`GET /metrics` on the admin port returns these metrics in the Prometheus text format. Every series exists',
    'from the start, at 0. Each thread counts in its own shared memory; the values are summed at the scrape.',
    '',
    '| metric | type | labels | description |',
    '| --- | --- | --- | --- |',
    ...counterFamilies.map((family) => row(family, 'counter', cellLabels(family))),
    ...[keyFamily, reasonFamily].map((family) =>
      row(family, 'counter', family.labels.map((label) => `\`${label}\``).join(', ')),
    ),
    ...gaugeFamilies.map((family) => row(family, 'gauge', cellLabels(family))),
    ...histogramFamilies.map((family) => row(family, 'histogram', cellLabels(family))),
    ...Object.values(liveFamilies).map((family) =>
      row(family, 'gauge', family.labels.map((label) => `\`${label}\``).join(', ')),
    ),
    ...Object.values(processFamilies).map((family) => row(family, family.type, '')),
    '',
    '## Buckets',
    '',
    'Upper bounds, without `+Inf`.',
    '',
    '| histogram | bounds |',
    '| --- | --- |',
    ...histogramFamilies.map(({ name, bounds }) => `| \`${name}\` | ${bounds.join(', ')} |`),
    '',
  ].join('\n');
}

function row(
  { name, help }: { readonly name: string; readonly help: string },
  type: string,
  labels: string,
): string {
  return `| \`${name}\` | ${type} | ${labels === '' ? '' : `${labels} `}| ${help} |`;
}

/** `status`: done, error */
function cellLabels({ cells }: CellFamily): string {
  const values = new Map<string, string[]>();
  for (const labels of Object.values(cells)) {
    for (const [label, value] of Object.entries(labels)) {
      values.set(label, [...(values.get(label) ?? []), value]);
    }
  }
  return [...values].map(([label, all]) => `\`${label}\`: ${all.join(', ')}`).join('; ');
}
