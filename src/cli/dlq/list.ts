import { EXIT } from '../../model/fault.js';
import type { Desk } from './desk.js';
import { harmless, letterFacts, letterJson, letterRow, tableHead } from './letter-text.js';
import type { ListRequest, ShowRequest } from './request.js';
import { selected } from './selected.js';

/** Letters printed at once. */
const GROUP_MAX = 100;

/** @returns the exit code */
export async function list(desk: Desk, request: ListRequest): Promise<number> {
  const { selection, limit, json } = request;
  let shown = 0;
  let more = false;
  for await (const { letters } of selected(desk.store, selection, GROUP_MAX)) {
    if (desk.stop.aborted) break;
    const some = letters.slice(0, limit - shown);
    if (some.length > 0) {
      const head = shown === 0 && !json ? [tableHead()] : [];
      const rows = some.map((one) => (json ? letterJson(one) : letterRow(one, desk.columns)));
      await desk.print(`${[...head, ...rows].join('\n')}\n`);
    }
    shown += some.length;
    more = some.length < letters.length;
    if (more) break;
  }
  if (!json) await desk.print(`${listEnd(shown, more)}\n`);
  return EXIT.ok;
}

/** @returns the exit code */
export async function show(desk: Desk, { orderId, json }: ShowRequest): Promise<number> {
  const letter = await desk.store.find(orderId);
  if (letter === null) {
    desk.note(`no dead letter ${harmless(orderId)}`);
    return EXIT.failed;
  }
  if (json) {
    await desk.print(`${letterJson(letter)}\n`);
  } else {
    await desk.print(`${letterFacts(letter)}\n`);
    await desk.print(Buffer.concat([letter.body, Buffer.from('\n')]));
  }
  return EXIT.ok;
}

function listEnd(shown: number, more: boolean): string {
  if (shown === 0) return 'no dead letters';
  const letters = shown === 1 ? '1 dead letter' : `${shown} dead letters`;
  return more ? `${letters}, and there are more` : letters;
}
