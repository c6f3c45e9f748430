/** Margin of a set of positions in one symbol: netting, and hedging with its two rules. */
import type { Group } from './groups.ts';
import { weightedAverage } from './money.ts';
import type { Side } from './records.ts';
import { MARGIN_FLAG_LARGE_LEG, type SymbolSpec } from './symbols.ts';
import { marginOf } from './valuation.ts';

/** What margin needs to know of a position. */
export interface Exposure {
  readonly action: Side;
  readonly volume: number;
  readonly priceOpen: number;
  readonly rateMargin: number;
}

interface Leg {
  volume: number;
  price: number;
  rate: number;
  /** Sum of the margins of each position alone. */
  margin: number;
}

function addTo(leg: Leg, exposure: Exposure, margin: number): void {
  leg.price = weightedAverage(leg.price, leg.volume, exposure.priceOpen, exposure.volume);
  leg.rate = weightedAverage(leg.rate, leg.volume, exposure.rateMargin, exposure.volume);
  leg.volume += exposure.volume;
  leg.margin += margin;
}

export function symbolMargin(
  symbol: SymbolSpec,
  group: Group,
  leverage: number,
  exposures: readonly Exposure[],
): number {
  const digits = group.currencyDigits;
  const alone = (exposure: Exposure): number =>
    marginOf(
      {
        symbol,
        side: exposure.action,
        volume: exposure.volume,
        price: exposure.priceOpen,
        leverage,
        rate: exposure.rateMargin,
      },
      digits,
    );
  const [first] = exposures;
  if (first === undefined) return 0;
  if (exposures.length === 1) return alone(first);
  const legs: [Leg, Leg] = [
    { volume: 0, price: 0, rate: 0, margin: 0 },
    { volume: 0, price: 0, rate: 0, margin: 0 },
  ];
  for (const exposure of exposures) addTo(legs[exposure.action], exposure, alone(exposure));
  const [buys, sells] = legs;
  if (buys.volume === 0 || sells.volume === 0) return buys.margin + sells.margin;
  if ((symbol.marginFlags & MARGIN_FLAG_LARGE_LEG) !== 0) return Math.max(buys.margin, sells.margin);
  // The uncovered volume at the average of the longer leg, the hedged volume with its own contract size.
  const larger: Side = buys.volume >= sells.volume ? 0 : 1;
  const leg = legs[larger];
  const hedged = Math.min(buys.volume, sells.volume);
  const uncovered = leg.volume - hedged;
  const base = { symbol, side: larger, leverage };
  const uncoveredMargin =
    uncovered === 0 ? 0 : marginOf({ ...base, volume: uncovered, price: leg.price, rate: leg.rate }, digits);
  const hedgedMargin = marginOf(
    {
      ...base,
      volume: hedged,
      price: weightedAverage(buys.price, buys.volume, sells.price, sells.volume),
      rate: weightedAverage(buys.rate, buys.volume, sells.rate, sells.volume),
      contractSize: symbol.marginHedged,
    },
    digits,
  );
  return uncoveredMargin + hedgedMargin;
}
