import { EXIT, OperatorFault } from '../model/fault.js';

/** @param why the error of the system; empty if unknown */
export function cannotListen(host: string, port: number, why: string): OperatorFault {
  const fix = 'choose another --host or --port, or stop the process that uses it';
  const cause = why === '' ? '' : `: ${why}`;
  return new OperatorFault(`cannot listen on ${host}:${port}${cause}; fix: ${fix}`, EXIT.failed);
}
