import { EXIT } from '../../model/fault.js';
import type { DropRequest } from './arguments.js';
import { printable } from './list.js';
import { type DlqContext, selected } from './select.js';

/** Dead letters per transaction (local) or in flight to the server at once (NATS). */
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
    for await (const meant of groups(context, request)) {
      if (context.stop.aborted) break;
      if (dryRun) await printDrops(context, meant, tally);
      else await dropNow(context, meant, tally, selection.by === 'ids');
    }
  } finally {
    // Also printed when the journal fails half way: the work so far is permanent.
    const verb = dryRun ? 'would drop' : 'dropped';
    await context.print(`${verb} ${tally.dropped}, gone ${tally.gone}\n`);
  }
  return selection.by === 'ids' && tally.gone > 0 ? EXIT.failed : EXIT.ok;
}

interface Meant {
  readonly id: string;
  /** As for `DeadLetterStore.drop`. */
  readonly lastAtMs: number | null;
}

/** Ids given by the user are not looked up, so that an unreadable dead letter can be dropped. */
async function* groups(
  context: DlqContext,
  { selection }: DropRequest,
): AsyncIterable<readonly Meant[]> {
  if (selection.by === 'ids') {
    for (let at = 0; at < selection.ids.length; at += GROUP_MAX) {
      yield selection.ids.slice(at, at + GROUP_MAX).map((id) => ({ id, lastAtMs: null }));
    }
    return;
  }
  for await (const { letters } of selected(context.store, selection, GROUP_MAX)) {
    yield letters.map(({ orderId: id, lastAtMs }) => ({ id, lastAtMs }));
  }
}

async function dropNow(
  context: DlqContext,
  meant: readonly Meant[],
  tally: Tally,
  isNamed: boolean,
): Promise<void> {
  const ends = await Promise.allSettled(
    meant.map(({ id, lastAtMs }) => context.store.drop(id, lastAtMs)),
  );
  for (const [i, end] of ends.entries()) {
    if (end.status === 'rejected') continue;
    if (end.value) tally.dropped++;
    else tally.gone++;
    if (!end.value && isNamed) context.note(`no dead letter ${printable(meant[i]!.id)}`);
  }
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function printDrops(
  context: DlqContext,
  meant: readonly Meant[],
  tally: Tally,
): Promise<void> {
  const found = await Promise.all(meant.map(({ id }) => context.store.find(id)));
  for (const [i, { id, lastAtMs }] of meant.entries()) {
    const letter = found[i] ?? null;
    if (letter === null || (lastAtMs ?? letter.lastAtMs) !== letter.lastAtMs) {
      tally.gone++;
      context.note(`no dead letter ${printable(id)}`);
    } else {
      tally.dropped++;
      await context.print(`would drop ${printable(id)}\n`);
    }
  }
}
