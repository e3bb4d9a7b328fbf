/** The built-in order. */
const ORDER = '{"product_id":"33","count":"3","username":"maksim.konovalov"}';

/** What stands in a body for something that differs with each request. */
const PLACEHOLDER = /\{\{(n|uuid|time)\}\}/;

/**
 * The bodies of a run, from the text of a file. `{{n}}` is the number of the request, from 1; `{{uuid}}` a random UUID;
 * `{{time}}` the time, as in 2026-11-28T15:31:00.000Z. Each of them can stand several times, and is the same within a body.
 *
 * @param {string} text empty for the built-in order
 * @returns {(n: number) => string}
 */
export function bodies(text) {
  const parts = (text === '' ? ORDER : text).split(PLACEHOLDER);
  if (parts.length === 1) return () => parts[0];
  return (n) => {
    const values = new Map([
      ['n', String(n)],
      ['uuid', uuid()],
      ['time', new Date().toISOString()],
    ]);
    // Every second part is the name of a placeholder.
    return parts.map((part, i) => (i % 2 === 1 ? values.get(part) : part)).join('');
  };
}

/** Version 4 (RFC 9562). Random enough to tell the requests of a run apart. */
function uuid() {
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (kind) => {
    const digit = Math.floor(Math.random() * 16);
    return (kind === 'x' ? digit : (digit % 4) + 8).toString(16);
  });
}
