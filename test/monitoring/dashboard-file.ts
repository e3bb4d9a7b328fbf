import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MONITORING } from './rule-files.js';

/** The members of a panel that the tests read. */
export interface ShownPanel {
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly options: object;
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit?: string;
      readonly custom?: { readonly stacking?: { readonly mode: string } };
    };
    readonly overrides: readonly {
      readonly matcher: { readonly options: string };
      readonly properties: readonly { readonly value: { readonly fixedColor?: string } }[];
    }[];
  };
  readonly targets: readonly {
    readonly expr: string;
    readonly legendFormat: string;
    readonly format?: string;
  }[];
}

export interface ShownVariable {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
}

interface DashboardFile {
  readonly panels: readonly ShownPanel[];
  readonly templating: { readonly list: readonly ShownVariable[] };
}

const file = JSON.parse(
  readFileSync(join(MONITORING, 'grafana', 'dashboards', 'forebay.json'), 'utf8'),
) as DashboardFile;

/** All panels except the headings of rows. */
export function shownPanels(): readonly ShownPanel[] {
  return file.panels.filter(({ type }) => type !== 'row');
}

export function shownVariables(): readonly ShownVariable[] {
  return file.templating.list;
}
