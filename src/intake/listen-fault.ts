import { EXIT, OperatorFault } from '../model/fault.js';
import { addressText, type OrdersAddress } from '../model/listen.js';

/** @param why the error of the system; empty if unknown */
export function cannotListen(at: OrdersAddress, why: string): OperatorFault {
  const fix =
    'path' in at
      ? 'choose another path with --listen'
      : 'choose another --host or --port, or stop the process that uses it';
  const cause = why === '' ? '' : `: ${why}`;
  return new OperatorFault(`cannot listen on ${addressText(at)}${cause}; fix: ${fix}`, EXIT.failed);
}
