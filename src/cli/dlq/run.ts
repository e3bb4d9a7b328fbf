import type { Desk } from './desk.js';
import { drop } from './drop.js';
import { list, show } from './list.js';
import { replay } from './replay.js';
import type { DlqRequest } from './request.js';

/** @returns the exit code. @throws OperatorFault the journal failed on the way */
export function runDlq(desk: Desk, request: DlqRequest): Promise<number> {
  switch (request.do) {
    case 'list':
      return list(desk, request);
    case 'show':
      return show(desk, request);
    case 'replay':
      return replay(desk, request);
    case 'drop':
      return drop(desk, request);
  }
}
