import type { JournalEvent } from '../../contract/journal.ts';
import { awakeMs } from './awake-time.ts';
import { type Bill, type BillLine, billOf, cents, NOTHING, usedIn } from './bill.ts';
import { type InstanceType, MESSAGES_PER_REQUEST, PRICES_READ } from './prices.ts';
import { COUNTED, type MonthCounts } from './usage.ts';

const HOUR_MS = 3_600_000;

export interface MonthToDate {
  readonly awakeHours: number;
  readonly monthToDateUsd: string;
  readonly atThisPaceUsd: string;
  readonly lines: BillLine[];
  readonly pricesRead: string;
  /** Of the month. */
  readonly elapsedMs: number;
}

type Entries = readonly { readonly atMs: number; readonly event: JournalEvent }[];

interface MonthSoFar {
  /** How long the container ran in the month so far (UTC). */
  readonly ranMs: number;
  readonly elapsedMs: number;
  /** Of the month that has passed, from 0 to 1. */
  readonly part: number;
}

export function awakeThisMonth(entries: Entries, nowMs: number): MonthSoFar {
  const now = new Date(nowMs);
  const fromMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const toMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  const elapsedMs = nowMs - fromMs;
  return { ranMs: awakeMs(entries, fromMs, nowMs), elapsedMs, part: elapsedMs / (toMs - fromMs) };
}

/** The bill of the month so far: how long the container ran by the journal, and what was counted. */
export function monthToDate(
  entries: Entries,
  counts: MonthCounts,
  instanceType: InstanceType,
  nowMs: number,
): MonthToDate {
  const { ranMs, elapsedMs, part } = awakeThisMonth(entries, nowMs);
  const soFar = billOfCounts(instanceType, ranMs / 1000, counts);
  const scale = part > 0 ? 1 / part : 0;
  const whole = billOfCounts(
    instanceType,
    (ranMs / 1000) * scale,
    Object.fromEntries(COUNTED.map((name) => [name, counts[name] * scale])) as MonthCounts,
  );
  return {
    awakeHours: ranMs / HOUR_MS,
    monthToDateUsd: cents(soFar.totalUsd),
    atThisPaceUsd: cents(whole.totalUsd),
    lines: [...soFar.lines],
    pricesRead: PRICES_READ,
    elapsedMs,
  };
}

function billOfCounts(instanceType: InstanceType, awakeSeconds: number, counts: MonthCounts): Bill {
  const { workerRequests, objectRequests, messages, rowsRead, rowsWritten, hubSeconds } = counts;
  const used = usedIn({ ...NOTHING, instanceType, awakeSeconds, requests: workerRequests, hubSeconds });
  // The container's answers to the object's pings, one a second, are not counted one by one.
  const incoming = messages + awakeSeconds;
  return billOf({ ...used, objectRequests: objectRequests + incoming / MESSAGES_PER_REQUEST, rowsRead, rowsWritten });
}
