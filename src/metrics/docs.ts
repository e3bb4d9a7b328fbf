import {
  type CellFamily,
  counterFamilies,
  gaugeFamilies,
  histogramFamilies,
  liveFamilies,
  processFamilies,
} from './names.js';

/** docs/reference/metrics.md, from the catalogue. */
export function metricsDoc(): string {
  return [
    '# Metrics',
    '',
    'Generated from src/metrics/names.ts by `node scripts/options-doc.mjs`; do not edit.',
    '',
    '`GET /metrics` on the admin port gives all of these in the Prometheus text format. Every series is',
    'there from the start, at 0. Counters and histograms are counted by each thread in its own shared',
    'memory and summed at the scrape.',
    '',
    '| metric | type | labels | what it is |',
    '| --- | --- | --- | --- |',
    ...counterFamilies.map((family) => row(family, 'counter', cellLabels(family))),
    ...gaugeFamilies.map((family) => row(family, 'gauge', cellLabels(family))),
    ...histogramFamilies.map((family) => row(family, 'histogram', cellLabels(family))),
    ...Object.values(liveFamilies).map((family) =>
      row(family, 'gauge', family.labels.map((label) => `\`${label}\``).join(', ')),
    ),
    ...Object.values(processFamilies).map((family) => row(family, family.type, '')),
    '',
    '## Buckets',
    '',
    'Upper bounds, `+Inf` comes on top; the same in every thread.',
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
