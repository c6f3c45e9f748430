/** Daily reports: what a day did to an account, and how the account stood at its end, from the deals and the price path. */
import { swapNights, swapOf } from './charges.ts';
import { DAY_MS, dayStart } from './calendar.ts';
import { spreadDifference } from './groups.ts';
import { symbolMargin, type Exposure } from './margin.ts';
import { Rates, type QuoteSource } from './rates.ts';
import { DEAL_ACTION, type User } from './records.ts';
import { applyDeal, type ReplayedPosition, type ReplayedPositions } from './replay.ts';
import { convert, NEUTRAL_RATE, profitRaw } from './valuation.ts';
import type { World } from './world.ts';

const SUM_NAMES = ['profit', 'balance', 'credit', 'charge', 'correction', 'bonus', 'storage', 'commission'] as const;
type Sums = Record<(typeof SUM_NAMES)[number], number>;

export interface HeldPosition extends Readonly<ReplayedPosition> {
  readonly priceCurrent: number;
  readonly profit: number;
  readonly storage: number;
}

export interface DailyReport {
  /** Start of the server day reported on. */
  readonly dayMs: number;
  readonly balance: number;
  readonly credit: number;
  readonly profit: number;
  readonly storage: number;
  readonly margin: number;
  readonly positions: readonly HeldPosition[];
  readonly balancePrevDay: number;
  readonly balancePrevMonth: number;
  readonly equityPrevDay: number;
  readonly equityPrevMonth: number;
  /** Sums of the day's deals by their kind. */
  readonly sums: Readonly<Sums>;
}

const SUM_OF: Readonly<Record<number, keyof Sums>> = {
  [DEAL_ACTION.buy]: 'profit',
  [DEAL_ACTION.sell]: 'profit',
  [DEAL_ACTION.balance]: 'balance',
  [DEAL_ACTION.credit]: 'credit',
  [DEAL_ACTION.charge]: 'charge',
  [DEAL_ACTION.correction]: 'correction',
  [DEAL_ACTION.bonus]: 'bonus',
};

const noSums = (): Sums => Object.fromEntries(SUM_NAMES.map((name) => [name, 0])) as Sums;

/** Money that moves with prices, at the end of a server day. */
type Floating = Pick<DailyReport, 'profit' | 'storage' | 'margin' | 'positions'>;

function floatingAt(world: World, user: User, held: ReplayedPositions, endMs: number): Floating {
  const { books, path } = world;
  const group = books.groupOf(user);
  const source: QuoteSource = (name) => {
    const symbol = books.symbols.get(name);
    return symbol === undefined ? undefined : { symbol, ...path.quote(symbol, endMs) };
  };
  const rates = new Rates(source);
  const exposures = new Map<string, Exposure[]>();
  const positions: HeldPosition[] = [];
  for (const position of held.values()) {
    const symbol = books.symbols.get(position.symbol);
    if (symbol === undefined) continue;
    const quote = path.quote(symbol, endMs);
    const priceCurrent = position.action === 0 ? quote.bid : quote.ask + spreadDifference(group, symbol);
    const raw = profitRaw(symbol, position.action, position.volume, position.priceOpen, priceCurrent);
    const rateProfit =
      rates.rate(symbol.profitCurrency, group.currency, position.action === 0 ? 'sell' : 'buy') ?? NEUTRAL_RATE;
    let nights = 0;
    for (let day = dayStart(position.opened.timeMsc); day + DAY_MS <= endMs; day += DAY_MS)
      nights += swapNights(symbol, day);
    // Swaps of the nights since it was opened, at the rates of the day reported on.
    const valued = { ...position, contractSize: symbol.contractSize };
    positions.push({
      ...position,
      priceCurrent,
      profit: convert(raw, symbol.profitDigits, group.currencyDigits, rateProfit),
      storage: swapOf(group, symbol, valued, { nights, rateProfit, price: priceCurrent }),
    });
    exposures.set(position.symbol, [...(exposures.get(position.symbol) ?? []), position]);
  }
  let margin = 0;
  for (const [name, list] of exposures) margin += symbolMargin(books.symbol(name), group, user.leverage, list);
  const sum = (name: 'profit' | 'storage'): number => positions.reduce((total, position) => total + position[name], 0);
  return { profit: sum('profit'), storage: sum('storage'), margin, positions };
}

export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
  /** Most reports to make. */
  readonly most: number;
}

/** Reports of the days from the first deal on that ended in [fromMs, toMs] and before `nowMs`. */
export function dailyReports(world: World, user: User, period: Period): DailyReport[] {
  const { fromMs, toMs, nowMs } = period;
  const deals = world.books.deals.of(user.login);
  const [first] = deals;
  if (first === undefined) return [];
  const reports: DailyReport[] = [];
  const last = Math.min(dayStart(toMs), dayStart(nowMs) - DAY_MS);
  const held: ReplayedPositions = new Map();
  let balance = 0;
  let credit = 0;
  let month = { balance: 0, equity: 0 };
  let next = 0;
  for (let dayMs = dayStart(first.timeMsc); dayMs <= last && reports.length < period.most; dayMs += DAY_MS) {
    const wanted = dayMs + DAY_MS > fromMs;
    const equityPrevDay = (): number => {
      const { profit, storage } = floatingAt(world, user, held, dayMs);
      return balance + credit + profit + storage;
    };
    const newMonth = new Date(dayMs).getUTCDate() === 1;
    const before = { balance, equity: wanted || newMonth ? (equityOf(reports.at(-1)) ?? equityPrevDay()) : 0 };
    if (newMonth) month = { ...before };
    const sums = noSums();
    for (let deal = deals[next]; deal !== undefined && deal.timeMsc < dayMs + DAY_MS; next += 1, deal = deals[next]) {
      sums[SUM_OF[deal.action] ?? 'correction'] += deal.profit;
      sums.storage += deal.storage;
      sums.commission += deal.commission;
      if (deal.action === DEAL_ACTION.credit) credit += deal.profit;
      else balance += deal.profit + deal.storage + deal.commission;
      applyDeal(held, deal);
    }
    if (!wanted) continue;
    reports.push({
      dayMs,
      balance,
      credit,
      ...floatingAt(world, user, held, dayMs + DAY_MS),
      balancePrevDay: before.balance,
      equityPrevDay: before.equity,
      balancePrevMonth: month.balance,
      equityPrevMonth: month.equity,
      sums,
    });
  }
  return reports;
}

function equityOf(report: DailyReport | undefined): number | undefined {
  return report === undefined ? undefined : report.balance + report.credit + report.profit + report.storage;
}
