/** Positions as the deals of a login leave them. */
import { weightedAverage } from './money.ts';
import { DEAL_ACTION, type Deal, type Side } from './records.ts';

export interface ReplayedPosition {
  readonly ticket: number;
  readonly symbol: string;
  action: Side;
  volume: number;
  priceOpen: number;
  rateMargin: number;
  /** The deal that opened it, or turned it round. */
  opened: Deal;
}

export type ReplayedPositions = Map<number, ReplayedPosition>;

/** What one deal does to the positions before it. */
export function applyDeal(positions: ReplayedPositions, deal: Deal): void {
  if (deal.action > DEAL_ACTION.sell) return;
  const action: Side = deal.action === DEAL_ACTION.buy ? 0 : 1;
  const held = positions.get(deal.positionId);
  if (held === undefined) {
    const { symbol, volume, price, rateMargin, positionId } = deal;
    positions.set(positionId, {
      ticket: positionId,
      symbol,
      action,
      volume,
      priceOpen: price,
      rateMargin,
      opened: deal,
    });
  } else if (held.action === action) {
    held.priceOpen = weightedAverage(held.priceOpen, held.volume, deal.price, deal.volume);
    held.rateMargin = weightedAverage(held.rateMargin, held.volume, deal.rateMargin, deal.volume);
    held.volume += deal.volume;
  } else if (deal.volume < held.volume) {
    held.volume -= deal.volume;
  } else if (deal.volume === held.volume) {
    positions.delete(deal.positionId);
  } else {
    const { rateMargin, price } = deal;
    Object.assign(held, { action, volume: deal.volume - held.volume, priceOpen: price, rateMargin, opened: deal });
  }
}

export function replayPositions(deals: readonly Deal[]): ReplayedPositions {
  const positions: ReplayedPositions = new Map();
  for (const deal of deals) applyDeal(positions, deal);
  return positions;
}
