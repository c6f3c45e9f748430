/** Daily reports: what a day did to an account, from its deals. */
import { DAY_MS, dayStart } from './calendar.ts';
import { DEAL_ACTION, type Deal } from './records.ts';

export interface DailyReport {
  /** Start of the server day reported on. */
  readonly dayMs: number;
  readonly balance: number;
  readonly credit: number;
  readonly balancePrevDay: number;
  readonly balancePrevMonth: number;
  readonly creditPrevDay: number;
  /** Sums of the day's deals by their kind. */
  readonly sums: Readonly<
    Record<'profit' | 'balance' | 'credit' | 'charge' | 'correction' | 'bonus' | 'storage' | 'commission', number>
  >;
}

type Sums = { -readonly [Name in keyof DailyReport['sums']]: DailyReport['sums'][Name] };

const SUM_OF: Readonly<Record<number, keyof Sums>> = {
  [DEAL_ACTION.buy]: 'profit',
  [DEAL_ACTION.sell]: 'profit',
  [DEAL_ACTION.balance]: 'balance',
  [DEAL_ACTION.credit]: 'credit',
  [DEAL_ACTION.charge]: 'charge',
  [DEAL_ACTION.correction]: 'correction',
  [DEAL_ACTION.bonus]: 'bonus',
};

const noSums = (): Sums => ({
  profit: 0,
  balance: 0,
  credit: 0,
  charge: 0,
  correction: 0,
  bonus: 0,
  storage: 0,
  commission: 0,
});

/** Reports of the days from the first deal on that ended in [fromMs, toMs] and before `nowMs`. */
export function dailyReports(deals: readonly Deal[], fromMs: number, toMs: number, nowMs: number): DailyReport[] {
  const [first] = deals;
  if (first === undefined) return [];
  const reports: DailyReport[] = [];
  const last = Math.min(dayStart(toMs), dayStart(nowMs) - DAY_MS);
  let balance = 0;
  let credit = 0;
  let balancePrevMonth = 0;
  let next = 0;
  for (let dayMs = dayStart(first.timeMsc); dayMs <= last; dayMs += DAY_MS) {
    const before = { balance, credit };
    if (new Date(dayMs).getUTCDate() === 1) balancePrevMonth = balance;
    const sums = noSums();
    for (let deal = deals[next]; deal !== undefined && deal.timeMsc < dayMs + DAY_MS; next += 1, deal = deals[next]) {
      sums[SUM_OF[deal.action] ?? 'correction'] += deal.profit;
      sums.storage += deal.storage;
      sums.commission += deal.commission;
      if (deal.action === DEAL_ACTION.credit) credit += deal.profit;
      else balance += deal.profit + deal.storage + deal.commission;
    }
    if (dayMs + DAY_MS <= fromMs) continue;
    reports.push({
      dayMs,
      balance,
      credit,
      balancePrevDay: before.balance,
      balancePrevMonth,
      creditPrevDay: before.credit,
      sums,
    });
  }
  return reports;
}
