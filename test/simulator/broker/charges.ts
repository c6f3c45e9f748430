/** What trading costs: commissions of deals and swaps of nights. */
import { DAY_MS, dayStart, weekday } from './calendar.ts';
import type { Group } from './groups.ts';
import { productRound } from './money.ts';
import { ENTRY, type Position } from './records.ts';
import { SWAP_MODE, type SymbolSpec } from './symbols.ts';
import { convert, notional } from './valuation.ts';

/** Commission of a deal, ≤ 0, in the smallest unit of the deposit currency. */
export function commissionOf(
  group: Group,
  symbol: SymbolSpec,
  deal: { readonly volume: number; readonly price: number; readonly entry: number; readonly rateProfit: number },
): number {
  let total = 0;
  for (const rule of group.commissions) {
    const opening = deal.entry === ENTRY.in || deal.entry === ENTRY.inOut;
    if (!rule.covers(symbol) || (rule.entryMode === 1 && !opening) || (rule.entryMode === 2 && opening)) continue;
    if (rule.kind === 'per-lot') {
      total += productRound([rule.value, deal.volume], 8);
      continue;
    }
    const value = convert(
      notional(symbol, deal.volume, deal.price),
      symbol.profitDigits,
      group.currencyDigits,
      deal.rateProfit,
    );
    // Per cent with four decimals.
    total += productRound([value, rule.value], 6);
  }
  return total === 0 ? 0 : -total;
}

/** How many nights a rollover counts for: none at the weekend, three on the symbol's day. */
export function swapNights(symbol: SymbolSpec, endedDayMs: number): number {
  const day = weekday(endedDayMs);
  if (day === 0 || day === 6) return 0;
  return day === symbol.swap3Day ? 3 : 1;
}

/** Swap of one position for a number of nights, in the smallest unit of the deposit currency. */
export function swapOf(
  group: Group,
  symbol: SymbolSpec,
  position: Pick<Position, 'action' | 'volume' | 'contractSize' | 'priceOpen'>,
  market: { readonly nights: number; readonly rateProfit: number; readonly price: number },
): number {
  if (!group.swaps || symbol.swapMode === SWAP_MODE.disabled || market.nights === 0) return 0;
  const swap = position.action === 0 ? symbol.swapLong : symbol.swapShort;
  if (symbol.swapMode === SWAP_MODE.points) {
    // Points carry two decimals: one more volume-weighted price difference.
    const raw = productRound(
      [swap, market.nights, position.volume, position.contractSize],
      12 + symbol.digits - symbol.profitDigits,
    );
    return convert(raw, symbol.profitDigits, group.currencyDigits, market.rateProfit);
  }
  if (symbol.swapMode === SWAP_MODE.groupCurrency) {
    return productRound([swap, market.nights, position.volume], 10 - group.currencyDigits);
  }
  // Per cent a year with two decimals, of the value at the current or at the opening price; banking year of 360 days.
  const price = symbol.swapMode === SWAP_MODE.interestOpen ? position.priceOpen : market.price;
  const value = convert(
    notional(symbol, position.volume, price),
    symbol.profitDigits,
    group.currencyDigits,
    market.rateProfit,
  );
  return productRound([value, swap, market.nights], 4, 360);
}

/** Nights of a position between the midnight it was rolled to and now. */
export function nightsDue(symbol: SymbolSpec, position: Position, nowMs: number): number {
  let nights = 0;
  for (let ended = position.rolledUntilMs; ended + DAY_MS <= nowMs; ended += DAY_MS)
    nights += swapNights(symbol, ended);
  return nights;
}

/** The midnight that opens the day of a moment: a new position is rolled from there. */
export const rolledFrom = (serverMs: number): number => dayStart(serverMs);
