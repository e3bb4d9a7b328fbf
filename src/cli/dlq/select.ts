import type { DeadLetterStore, StoredDeadLetter } from '../../model/dead-letters.js';
import type { BodyValidator, Limiter } from '../../model/stages.js';
import type { Selection } from './arguments.js';

/** What the subcommands work with. */
export interface DlqContext {
  readonly store: DeadLetterStore;
  readonly validator: BodyValidator;
  /** Digest of the schema of `validator`. */
  readonly schema: string;
  /** Makes an exact limiter of so many orders in any second. */
  readonly limiter: (perSecond: number) => Limiter;
  /** Writes to stdout; resolves when the reader keeps up. */
  readonly print: (text: string | Uint8Array) => Promise<void>;
  /** Writes one line to stderr. */
  readonly note: (line: string) => void;
  /** Line width, characters. */
  readonly columns: number;
  /** Aborted to stop: nothing more is started. */
  readonly stop: AbortSignal;
}

/** A group of selected dead letters, and the selected ids that have none. */
export interface SelectedGroup {
  readonly letters: readonly StoredDeadLetter[];
  readonly unknown: readonly string[];
}

/** The selected dead letters, in groups of at most `groupMax`. */
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
