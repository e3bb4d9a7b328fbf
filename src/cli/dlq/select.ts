import type { DeadLetterStore, StoredDeadLetter } from '../../model/dead-letters.js';
import type { BodyValidator, Limiter } from '../../model/stages.js';
import type { Selection } from './arguments.js';

/** Some of the letters that were asked for, and the ids of those that are not there. */
export interface SelectedGroup {
  readonly letters: readonly StoredDeadLetter[];
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
  let letters: StoredDeadLetter[] = [];
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

/** What the commands work with. */
export interface DlqContext {
  readonly store: DeadLetterStore;
  readonly validator: BodyValidator;
  /** Makes an exact limiter: at most so many in any second. */
  readonly limiter: (perSecond: number) => Limiter;
  /** Answers; resolves when the reader keeps up. */
  readonly print: (text: string | Uint8Array) => Promise<void>;
  /** One line for the operator beside the answers. */
  readonly note: (line: string) => void;
  /** Characters that fit on a line. */
  readonly columns: number;
  /** Aborted when the operator wants it to end: nothing is begun then. */
  readonly stop: AbortSignal;
}
