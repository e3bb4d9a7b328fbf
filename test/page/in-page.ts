/**
 * Functions that run in the browser. Each is sent there as source text, so it can use only its arguments and the browser's
 * globals. Only the globals used here are declared.
 */
interface Node {
  readonly nodeType: number;
  readonly textContent: string | null;
}

interface Element extends Node {
  readonly id: string;
  readonly className: string;
  readonly tagName: string;
  readonly childNodes: Iterable<Node>;
  readonly parentElement: Element | null;
  readonly nextElementSibling: Element | null;
  readonly offsetParent: Element | null;
  readonly dataset: Readonly<Record<string, string>>;
  readonly style: { color: string };
  readonly type?: string;
  readonly name?: string;
  width: number;
  height: number;
  closest(selector: string): Element | null;
  matches(selector: string): boolean;
  append(child: Element): void;
  remove(): void;
  getContext(
    kind: '2d',
    attributes: { willReadFrequently: boolean },
  ): {
    drawImage(image: Element, x: number, y: number): void;
    getImageData(x: number, y: number, width: number, height: number): { data: Uint8Array };
  };
}

declare const document: {
  readonly body: Element;
  readonly activeElement: Element | null;
  createElement(tag: string): Element;
  querySelectorAll(selector: string): Iterable<Element>;
};
declare function getComputedStyle(element: Element): {
  readonly color: string;
  readonly backgroundColor: string;
  readonly fontSize: string;
  readonly fontWeight: string;
  readonly outlineStyle: string;
  readonly outlineWidth: string;
};

export interface NamedValue {
  readonly series: string;
  readonly text: string;
  readonly panel: string;
}

/** Every visible value that names its series in /metrics. */
export function namedValues(): NamedValue[] {
  return Array.from(document.querySelectorAll('[data-series]'))
    .filter((place) => place.offsetParent !== null)
    .map((place) => ({
      series: place.dataset.series!,
      text: place.textContent ?? '',
      panel: place.closest('.panel')?.id ?? 'tiles',
    }));
}

/** Number of pixels in a panel that have approximately this colour of the palette. */
export function pixelsOf([panel, color]: readonly [panel: string, color: string]): number {
  const probe = document.createElement('span');
  document.body.append(probe);
  probe.style.color = `var(--${color})`;
  const wanted = getComputedStyle(probe).color.match(/\d+/g)!.map(Number);
  probe.remove();
  let found = 0;
  for (const canvas of document.querySelectorAll(`#${panel} canvas`)) {
    if (canvas.width === 0 || canvas.height === 0) continue;
    const copy = document.createElement('canvas');
    copy.width = canvas.width;
    copy.height = canvas.height;
    const picture = copy.getContext('2d', { willReadFrequently: true });
    picture.drawImage(canvas, 0, 0);
    const { data } = picture.getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 0; at < data.length; at += 4) {
      const isNear = [0, 1, 2].every((i) => Math.abs(data[at + i]! - wanted[i]!) <= 12);
      if (isNear && data[at + 3]! > 200) found++;
    }
  }
  return found;
}

/** Texts whose contrast with their background is below WCAG level AA. */
export function lowContrasts(): string[] {
  const luminance = (color: string): number => {
    const [r, g, b] = color
      .match(/[\d.]+/g)!
      .slice(0, 3)
      .map((digits) => Number(digits) / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const ground = (element: Element): string => {
    for (let at: Element | null = element; at !== null; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (!/^rgba\(.*, 0\)$/.test(backgroundColor)) return backgroundColor;
    }
    return 'rgb(255, 255, 255)';
  };
  const faults: string[] = [];
  for (const element of document.querySelectorAll('body *')) {
    const ownText = Array.from(element.childNodes)
      .filter(({ nodeType }) => nodeType === 3)
      .map(({ textContent }) => textContent!.trim())
      .join('');
    if (ownText === '' || element.offsetParent === null || element.closest('.unseen')) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const [light, dark] = [luminance(color), luminance(ground(element))].sort((a, b) => b - a);
    const ratio = (light! + 0.05) / (dark! + 0.05);
    const px = Number.parseFloat(fontSize);
    const isLarge = px >= 24 || (px >= 18.66 && Number(fontWeight) >= 600);
    if (ratio < (isLarge ? 3 : 4.5)) faults.push(`${ownText}: ${ratio.toFixed(2)}`);
  }
  return faults;
}

export interface Focused {
  /** A description of the focused element; empty if there is none. */
  readonly what: string;
  readonly isVisible: boolean;
}

export function focused(): Focused {
  const at = document.activeElement;
  if (at === null || at === document.body) return { what: '', isVisible: false };
  const panel = at.closest('.panel')?.id ?? 'page';
  // A radio button is drawn by the text after it.
  const drawn = at.type === 'radio' ? at.nextElementSibling! : at;
  const { outlineStyle, outlineWidth } = getComputedStyle(drawn);
  const what = `${panel} ${at.name || at.id || at.className || at.tagName.toLowerCase()}`;
  return { what, isVisible: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2 };
}
