import { EXIT } from '../../model/fault.js';
import type { DropRequest } from './arguments.js';
import { harmless } from './list.js';
import { type DlqContext, selected } from './select.js';

/** Letters that share a transaction, or are under way to the server at once. */
const GROUP_MAX = 250;

interface Tally {
  dropped: number;
  gone: number;
}

/** @returns the exit code */
export async function drop(context: DlqContext, request: DropRequest): Promise<number> {
  const { selection, dryRun } = request;
  const tally: Tally = { dropped: 0, gone: 0 };
  try {
    for await (const ids of groups(context, request)) {
      if (context.stop.aborted) break;
      if (dryRun) await tellDrops(context, ids, tally);
      else await dropNow(context, ids, tally, selection.by === 'ids');
    }
  } finally {
    // Also when the journal fails half way: what is done is done.
    const verb = dryRun ? 'would drop' : 'dropped';
    await context.print(`${verb} ${tally.dropped}, gone ${tally.gone}\n`);
  }
  return selection.by === 'ids' && tally.gone > 0 ? EXIT.failed : EXIT.ok;
}

/** Those named by id are not looked up: one that cannot be read can still be dropped. */
async function* groups(
  context: DlqContext,
  { selection }: DropRequest,
): AsyncIterable<readonly string[]> {
  if (selection.by === 'ids') {
    for (let at = 0; at < selection.ids.length; at += GROUP_MAX) {
      yield selection.ids.slice(at, at + GROUP_MAX);
    }
    return;
  }
  for await (const { letters } of selected(context.store, selection, GROUP_MAX)) {
    yield letters.map(({ orderId }) => orderId);
  }
}

async function dropNow(
  context: DlqContext,
  ids: readonly string[],
  tally: Tally,
  isNamed: boolean,
): Promise<void> {
  const ends = await Promise.allSettled(ids.map((id) => context.store.drop(id)));
  for (const [i, end] of ends.entries()) {
    if (end.status === 'rejected') continue;
    if (end.value) tally.dropped++;
    else tally.gone++;
    if (!end.value && isNamed) context.note(`no dead letter ${harmless(ids[i]!)}`);
  }
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function tellDrops(context: DlqContext, ids: readonly string[], tally: Tally): Promise<void> {
  const found = await Promise.all(ids.map((id) => context.store.find(id)));
  for (const [i, id] of ids.entries()) {
    if (found[i] === null) {
      tally.gone++;
      context.note(`no dead letter ${harmless(id)}`);
    } else {
      tally.dropped++;
      await context.print(`would drop ${harmless(id)}\n`);
    }
  }
}
