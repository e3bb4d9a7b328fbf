import type { BatchForm } from '../contestants/contestant.js';
import { ORDER } from '../load.js';

/** What is posted in one case: one text, or several in turn. */
export interface Body {
  readonly name: string;
  readonly texts: readonly string[];
}

const VARIED = 1000;

/** Orders as different clients write them. */
const BODIES: Readonly<Record<string, { help: string; texts: readonly string[] }>> = {
  plain: { help: 'compact, as JSON.stringify writes it', texts: [ORDER] },
  spaced: {
    help: 'with spaces, as most other languages write JSON',
    texts: ['{"product_id": "33", "count": "3", "username": "maksim.konovalov"}'],
  },
  reordered: {
    help: 'members in another order',
    texts: ['{"username":"maksim.konovalov","count":"3","product_id":"33"}'],
  },
  unicode: {
    help: 'a username that is not ASCII',
    texts: ['{"product_id":"33","count":"3","username":"Максим Коновалов"}'],
  },
  escaped: {
    help: 'a username with an escape',
    texts: ['{"product_id":"33","count":"3","username":"maksim\\u002ekonovalov"}'],
  },
  varied: { help: `${VARIED} different orders in turn`, texts: variedOrders() },
};

export const BODY_NAMES: readonly string[] = Object.keys(BODIES);

export function bodyHelp(): string[] {
  return Object.entries(BODIES).map(([name, { help }]) => `${name.padEnd(10)} ${help}`);
}

/** @param text a name or JSON @returns null if it is neither */
export function bodyOf(text: string): Body | null {
  if (text.startsWith('{')) return { name: text, texts: [text] };
  const known = BODIES[text];
  return known === undefined ? null : { name: text, texts: known.texts };
}

/** The body of a request with `orders` orders: the texts of the body in turn. */
export function batchText(body: Body, orders: number, form: BatchForm): string {
  const all = Array.from({ length: orders }, (_, i) => body.texts[i % body.texts.length]!);
  return form === 'array' ? `[${all.join()}]` : all.join('\n');
}

/** The same in every run: usernames of different lengths, numbers of one to three digits. */
function variedOrders(): string[] {
  return Array.from({ length: VARIED }, (_, i) => {
    const username = `customer-${'x'.repeat(i % 40)}${i}`;
    return JSON.stringify({ product_id: `${i % 101}`, count: `${(i * 7) % 101}`, username });
  });
}
