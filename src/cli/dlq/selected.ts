import type { DeadLetterStore, KeptDeadLetter } from '../../model/dead-letters.js';
import type { Selection } from './request.js';

/** Some of the letters that were asked for, and the ids of those that are not there. */
export interface SelectedGroup {
  readonly letters: readonly KeptDeadLetter[];
  readonly unknown: readonly string[];
}

/** The selected letters, `groupMax` at a time at most. */
export async function* selected(
  store: DeadLetterStore,
  selection: Selection,
  groupMax: number,
): AsyncIterable<SelectedGroup> {
  if (selection.by === 'ids') {
    for (let at = 0; at < selection.ids.length; at += groupMax) {
      yield findAll(store, selection.ids.slice(at, at + groupMax));
    }
    return;
  }
  let letters: KeptDeadLetter[] = [];
  for await (const letter of store.list()) {
    if (selection.by === 'reason' && !letter.reason.includes(selection.text)) continue;
    letters.push(letter);
    if (letters.length < groupMax) continue;
    yield { letters, unknown: [] };
    letters = [];
  }
  if (letters.length > 0) yield { letters, unknown: [] };
}

async function findAll(store: DeadLetterStore, ids: readonly string[]): Promise<SelectedGroup> {
  const found = await Promise.all(ids.map((id) => store.find(id)));
  return {
    letters: found.filter((letter) => letter !== null),
    unknown: ids.filter((_, i) => found[i] === null),
  };
}
