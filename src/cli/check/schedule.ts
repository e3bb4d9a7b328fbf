import { loadSchedule } from '../../drain/schedule/parse.js';
import type { DrainSchedule, Slot } from '../../drain/schedule/schedule.js';
import { clockText, originText, rateText } from '../../drain/schedule/text.js';
import { OperatorFault } from '../../model/fault.js';
import type { Options } from '../../model/options.js';
import { type Finding, faultFinding, ok } from './finding.js';

const DAY_MS = 86_400_000;

/** The drain rates of the next 24 hours; none without --drain-schedule. */
export function scheduleFindings({ drainSchedule, drainRate }: Options, nowMs: number): Finding[] {
  if (drainSchedule === '') return [];
  let schedule: DrainSchedule;
  try {
    schedule = loadSchedule(drainSchedule, drainRate);
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error;
    return [faultFinding('drain schedule', error)];
  }
  const zone = schedule.windows[0]!.zone;
  return schedule
    .slots(nowMs, nowMs + DAY_MS)
    .map((slot, i) => slotFinding(slot, zone, i === 0 ? 'now' : 'from'));
}

/** The default has no zone: its times are shown in that of the first window. */
function slotFinding(slot: Slot, firstZone: string, word: 'now' | 'from'): Finding {
  const zone = slot.window?.zone ?? firstZone;
  const when = `${clockText(slot.fromMs, zone)} ${zone}`;
  const from = word === 'now' ? `now (${when})` : `from ${when}`;
  const facts = {
    fromMs: Math.round(slot.fromMs),
    toMs: Math.round(slot.toMs),
    rate: slot.rate,
    line: slot.window?.line ?? 0,
  };
  return ok('drain schedule', `${from}: ${rateText(slot.rate)} (${originText(slot)})`, facts);
}
