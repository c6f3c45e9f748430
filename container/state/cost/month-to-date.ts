import type { JournalEvent } from '../../contract/journal.ts';
import { awakeMs } from './awake-time.ts';
import { type BillLine, bill, cents, NOTHING } from './bill.ts';
import { type InstanceType, PRICES_READ } from './prices.ts';

const HOUR_MS = 3_600_000;

export interface MonthToDate {
  readonly awakeHours: number;
  readonly monthToDateUsd: string;
  readonly atThisPaceUsd: string;
  readonly lines: BillLine[];
  readonly pricesRead: string;
}

/** The bill of the month so far (UTC) for what the journal tells: how long the container ran. */
export function monthToDate(
  entries: readonly { readonly atMs: number; readonly event: JournalEvent }[],
  instanceType: InstanceType,
  nowMs: number,
): MonthToDate {
  const now = new Date(nowMs);
  const fromMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const toMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  const ranMs = awakeMs(entries, fromMs, nowMs);
  const soFar = bill({ ...NOTHING, instanceType, awakeSeconds: ranMs / 1000 });
  const part = (nowMs - fromMs) / (toMs - fromMs);
  const whole = bill({ ...NOTHING, instanceType, awakeSeconds: part > 0 ? ranMs / 1000 / part : 0 });
  return {
    awakeHours: ranMs / HOUR_MS,
    monthToDateUsd: cents(soFar.totalUsd),
    atThisPaceUsd: cents(whole.totalUsd),
    lines: [...soFar.lines],
    pricesRead: PRICES_READ,
  };
}
