/** The page's colours. They are defined in page.css and change with the theme. */
const COLORS = [
  'axis',
  'grid',
  'panel',
  'ok',
  'client',
  'busy',
  'refused',
  'done',
  'backlog',
  'age',
  'rate',
  'limit',
  'load',
] as const;
export type Color = (typeof COLORS)[number];

const HEAT_STOPS = 5;
const HEAT_STEPS = 32;

export class Palette {
  #colors: Readonly<Record<Color, string>>;
  #heat: readonly string[];

  constructor() {
    [this.#colors, this.#heat] = read();
  }

  /** Called when the theme has changed. */
  refresh(): void {
    [this.#colors, this.#heat] = read();
  }

  of(color: Color): string {
    return this.#colors[color];
  }

  /** @param share 0 to 1 */
  heat(share: number): string {
    return this.#heat[Math.min(HEAT_STEPS - 1, Math.floor(share * HEAT_STEPS))];
  }
}

/** Reads the colours from an element: a custom property alone does not tell which of its two colours is in effect. */
function read(): [Readonly<Record<Color, string>>, readonly string[]] {
  const probe = document.createElement('span');
  document.body.append(probe);
  const value = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colors = Object.fromEntries(COLORS.map((name) => [name, value(name)]));
  const stops = Array.from({ length: HEAT_STOPS }, (_, i) => channels(value(`heat-${i}`)));
  probe.remove();
  const heat = Array.from({ length: HEAT_STEPS }, (_, i) => {
    const at = (i / (HEAT_STEPS - 1)) * (HEAT_STOPS - 1);
    const low = Math.min(HEAT_STOPS - 2, Math.floor(at));
    const mixed = stops[low].map((from, channel) =>
      Math.round(from + (stops[low + 1][channel] - from) * (at - low)),
    );
    return `rgb(${mixed.join(' ')})`;
  });
  return [colors as Record<Color, string>, heat];
}

/** @param color a computed style: rgb(1, 2, 3) */
function channels(color: string): number[] {
  return Array.from(color.matchAll(/\d+/g), ([digits]) => Number(digits)).slice(0, 3);
}
