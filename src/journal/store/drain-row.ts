/** What operators have set about the drain, as a row of the table `meta`: one JSON object with a checksum. */
import type { DrainSetting } from '../../model/drain-control.js';
import { requireSealed, seal, UNSEALED_HEAD } from '../frame/checksum.js';
import type { Table } from './local-store.js';

const META_KEY = Buffer.from('drain');
const SETTING = '"setting":';

/** The row that keeps a setting. To be called inside a write transaction. */
export function putDrainSetting(meta: Table, setting: DrainSetting): void {
  const row = Buffer.from(`${UNSEALED_HEAD}${SETTING}${JSON.stringify(setting)}}`);
  meta.put(META_KEY, seal(row, META_KEY));
}

/**
 * The setting that is kept; null if none was ever set.
 * @throws Error the row is not as it was written
 */
export function drainSettingIn(meta: Table): DrainSetting | null {
  const row = meta.getBinary(META_KEY);
  if (row === undefined) return null;
  requireSealed(row, META_KEY, `{${SETTING}`);
  return (JSON.parse(row.toString()) as { setting: DrainSetting }).setting;
}
