import type { ResourceLimits } from '../../model/process-limits.js';
import { bytesText } from './amounts.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** Node, its threads' reserved heaps, and the binaries. */
const PROCESS_MAP_BYTES = 64 * 1024 ** 3;
/** Journal, logs, threads and connections to NATS and databases. */
const OWN_FILES = 256;
/** What one wave of customers may well need. */
const CLIENTS_MIN = 1000;

/** @param mapBytes address space that the journal maps; 0 for none */
export function limitFindings(limits: ResourceLimits, mapBytes: number): Finding[] {
  return [filesFinding(limits.openFiles), spaceFinding(limits.addressSpaceBytes, mapBytes)];
}

function filesFinding(openFiles: number): Finding {
  const clients = Math.max(0, openFiles - OWN_FILES);
  if (clients === Number.POSITIVE_INFINITY) return ok('open files', 'no limit');
  const text = `${openFiles}, so at most about ${clients} connections at once`;
  if (clients >= CLIENTS_MIN) return ok('open files', text, { openFiles });
  return warn('open files', text, 'ulimit -n 65536, or LimitNOFILE=65536 of systemd', {
    openFiles,
  });
}

function spaceFinding(spaceBytes: number, mapBytes: number): Finding {
  const about = 'address space';
  if (spaceBytes === Number.POSITIVE_INFINITY) {
    const use = mapBytes === 0 ? '' : `; the journal maps ${bytesText(mapBytes)} of it`;
    return ok(about, `no limit${use}`);
  }
  const needBytes = mapBytes + PROCESS_MAP_BYTES;
  const text = `${bytesText(spaceBytes)}; the journal maps ${bytesText(mapBytes)}, about ${bytesText(needBytes)} are needed in all`;
  if (mapBytes === 0 || spaceBytes >= needBytes) return ok(about, text, { spaceBytes });
  return fail(about, text, 'ulimit -v unlimited, or LimitAS=infinity of systemd', { spaceBytes });
}
