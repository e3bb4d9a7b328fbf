/** `forebay dlq unreadable` and `forebay dlq set-aside`: what is not as it was written. */
import { EXIT } from '../../model/fault.js';
import type { UnreadableEntry, UnreadableStore } from '../../model/unreadable.js';
import type { SetAsideRequest, UnreadableRequest } from './arguments.js';
import { printable } from './list.js';
import type { DlqContext } from './select.js';

export type UnreadableContext = Pick<DlqContext, 'print' | 'note' | 'stop'> & {
  readonly store: UnreadableStore;
};

/** @returns the exit code */
export async function unreadable(
  { store, print, stop }: UnreadableContext,
  { limit, json }: UnreadableRequest,
): Promise<number> {
  let shown = 0;
  let more = false;
  for await (const entry of store.list()) {
    if (stop.aborted) break;
    more = shown >= limit;
    if (more) break;
    await print(`${json ? JSON.stringify(entry) : entryText(entry)}\n`);
    shown++;
  }
  if (!json) await print(`${endText(shown, more)}\n`);
  return EXIT.ok;
}

function entryText({ id, place, what, name, reason, bytes }: UnreadableEntry): string {
  const where = place === 'file' ? 'set aside' : 'in the journal';
  const named = name === '' ? what : `${what} ${name}`;
  return printable(`${id}  ${where}  ${named}, ${bytes} bytes: ${reason}`);
}

function endText(shown: number, more: boolean): string {
  if (shown === 0) return 'no damaged entries';
  const entries = shown === 1 ? '1 entry' : `${shown} entries`;
  return more ? `${entries} shown, there are more` : entries;
}

/** @returns the exit code */
export async function setAsideRows(
  { store, print, note, stop }: UnreadableContext,
  { ids, dryRun }: SetAsideRequest,
): Promise<number> {
  const left = new Set(ids);
  let moved = 0;
  for await (const { id, path } of dryRun ? wouldSetAside(store, ids) : store.setAside(ids)) {
    left.delete(id);
    moved++;
    await print(dryRun ? `would move ${id} to a file\n` : `moved ${id} to ${path}\n`);
    if (stop.aborted) break;
  }
  for (const id of left) note(`no unreadable row ${printable(id)}`);
  await print(`${dryRun ? 'would set aside' : 'set aside'} ${moved}, gone ${left.size}\n`);
  return left.size > 0 ? EXIT.failed : EXIT.ok;
}

async function* wouldSetAside(store: UnreadableStore, ids: readonly string[] | null) {
  for await (const { id, place } of store.list()) {
    if (place === 'journal' && (ids === null || ids.includes(id))) yield { id, path: '' };
  }
}
