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

type Entries = readonly { readonly atMs: number; readonly event: JournalEvent }[];

/** How long the container ran in the month so far (UTC), and the part of the month that has passed, from 0 to 1. */
export function awakeThisMonth(entries: Entries, nowMs: number): { readonly ranMs: number; readonly part: number } {
  const now = new Date(nowMs);
  const fromMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const toMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  return { ranMs: awakeMs(entries, fromMs, nowMs), part: (nowMs - fromMs) / (toMs - fromMs) };
}

/** The bill of the month so far for what the journal tells: how long the container ran. */
export function monthToDate(entries: Entries, instanceType: InstanceType, nowMs: number): MonthToDate {
  const { ranMs, part } = awakeThisMonth(entries, nowMs);
  const soFar = bill({ ...NOTHING, instanceType, awakeSeconds: ranMs / 1000 });
  const whole = bill({ ...NOTHING, instanceType, awakeSeconds: part > 0 ? ranMs / 1000 / part : 0 });
  return {
    awakeHours: ranMs / HOUR_MS,
    monthToDateUsd: cents(soFar.totalUsd),
    atThisPaceUsd: cents(whole.totalUsd),
    lines: [...soFar.lines],
    pricesRead: PRICES_READ,
  };
}
