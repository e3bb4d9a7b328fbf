/** How figures and tables are written in the pages. */

const NOTHING = '–';

export function whole(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en') : NOTHING;
}

export function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : NOTHING;
}

export function percent(share: number): string {
  return Number.isFinite(share) ? `${Math.round(share * 100)}%` : NOTHING;
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    ['|', ...cells.map((cell) => (cell === '' ? '|' : `${cell} |`))].join(' ');
  const rule = `|${head.map(() => ' --- |').join('')}`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
