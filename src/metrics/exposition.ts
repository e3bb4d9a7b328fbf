/**
 * The text format of Prometheus, version 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
import type { Labels } from './names.js';

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** One line of the exposition; with a `metricName` if it differs from the family's name. */
export interface Series {
  readonly metricName?: string;
  readonly labels: Labels;
  /** Shown as 0 if it is not finite: a gauge without a value. */
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly read: () => readonly Series[];
}

export function exposition(families: readonly Family[]): string {
  return `${families.map(familyText).join('\n\n')}\n`;
}

function familyText({ name, help, type, read }: Family): string {
  const lines = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`];
  for (const { metricName = name, labels, value } of read()) {
    lines.push(`${metricName}${labelsText(labels)} ${Number.isFinite(value) ? value : 0}`);
  }
  return lines.join('\n');
}

function labelsText(labels: Labels): string {
  const texts = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`,
  );
  return texts.length === 0 ? '' : `{${texts.join()}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
