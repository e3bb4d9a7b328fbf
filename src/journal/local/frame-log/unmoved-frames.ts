import { freshFacts, type KeyFacts } from '../local-keys.js';
import type { Table } from '../local-store.js';
import { readPlace } from './log-places.js';
import { listSegments, logFolder, SEGMENT_BYTES } from './segment-files.js';
import { SegmentReader } from './segment-reader.js';

/**
 * What is in the logs of a data folder and not in its tables yet, for somebody who only looks: nothing is changed.
 *
 * @param meta as of the moment at which the tables were read; null where there is none
 */
export function unmovedFrames(dataFolder: string, meta: Table | null): KeyFacts[] {
  const folder = logFolder(dataFolder);
  return listSegments(folder).flatMap((segment) => {
    const place = meta === null ? null : readPlace(meta, segment.id);
    const reader = new SegmentReader(folder, segment, place);
    try {
      return reader.read(SEGMENT_BYTES).records.map(({ key }) => freshFacts(key as Buffer));
    } finally {
      reader.close();
    }
  });
}
