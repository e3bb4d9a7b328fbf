import { EXIT } from '../../model/fault.js';
import type { Desk } from './desk.js';
import { harmless } from './letter-text.js';
import type { DropRequest } from './request.js';
import { selected } from './selected.js';

/** Letters that share a transaction, or are under way to the server at once. */
const GROUP_MAX = 250;

interface Tally {
  dropped: number;
  gone: number;
}

/** @returns the exit code */
export async function drop(desk: Desk, request: DropRequest): Promise<number> {
  const { selection, dryRun } = request;
  const tally: Tally = { dropped: 0, gone: 0 };
  try {
    for await (const ids of groups(desk, request)) {
      if (desk.stop.aborted) break;
      if (dryRun) await tellDrops(desk, ids, tally);
      else await dropNow(desk, ids, tally, selection.by === 'ids');
    }
  } finally {
    // Also when the journal fails half way: what is done is done.
    const verb = dryRun ? 'would drop' : 'dropped';
    await desk.print(`${verb} ${tally.dropped}, gone ${tally.gone}\n`);
  }
  return selection.by === 'ids' && tally.gone > 0 ? EXIT.failed : EXIT.ok;
}

/** Those named by id are not looked up: one that cannot be read can still be dropped. */
async function* groups(desk: Desk, { selection }: DropRequest): AsyncIterable<readonly string[]> {
  if (selection.by === 'ids') {
    for (let at = 0; at < selection.ids.length; at += GROUP_MAX) {
      yield selection.ids.slice(at, at + GROUP_MAX);
    }
    return;
  }
  for await (const { letters } of selected(desk.store, selection, GROUP_MAX)) {
    yield letters.map(({ orderId }) => orderId);
  }
}

async function dropNow(
  desk: Desk,
  ids: readonly string[],
  tally: Tally,
  isNamed: boolean,
): Promise<void> {
  const ends = await Promise.allSettled(ids.map((id) => desk.store.drop(id)));
  for (const [i, end] of ends.entries()) {
    if (end.status === 'rejected') continue;
    if (end.value) tally.dropped++;
    else tally.gone++;
    if (!end.value && isNamed) desk.note(`no dead letter ${harmless(ids[i]!)}`);
  }
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function tellDrops(desk: Desk, ids: readonly string[], tally: Tally): Promise<void> {
  const found = await Promise.all(ids.map((id) => desk.store.find(id)));
  for (const [i, id] of ids.entries()) {
    if (found[i] === null) {
      tally.gone++;
      desk.note(`no dead letter ${harmless(id)}`);
    } else {
      tally.dropped++;
      await desk.print(`would drop ${harmless(id)}\n`);
    }
  }
}
