import type { Table } from '../../store/local-store.js';
import { freshFacts, type KeyFacts } from '../../store/row-keys.js';
import { readPlace } from './log-places.js';
import { listSegments, logFolder, SEGMENT_BYTES, type Segment } from './segment-files.js';
import { type Place, SegmentReader } from './segment-reader.js';

/**
 * What is in the logs of a data folder and not in its tables yet, for somebody who only looks: nothing is changed.
 *
 * @param meta as of the moment at which the tables were read; null where there is none
 */
export function unmovedFrames(dataFolder: string, meta: Table | null): KeyFacts[] {
  const folder = logFolder(dataFolder);
  return listSegments(folder).flatMap((segment) => {
    const place = meta === null ? null : readPlace(meta, segment.id);
    const reader = openReader(folder, segment, place);
    if (reader === null) return [];
    try {
      return reader.read(SEGMENT_BYTES).records.map(({ key }) => freshFacts(key as Buffer));
    } finally {
      reader.close();
    }
  });
}

/** Null when it was renamed since it was listed: a server uses it, and will have moved what is in it in a moment. */
function openReader(folder: string, segment: Segment, place: Place | null): SegmentReader | null {
  try {
    return new SegmentReader(folder, segment, place);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
