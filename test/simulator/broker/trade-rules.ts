/** What makes a trade request invalid, each with its return code; 0 where nothing does. */
import { DAY_MS, dayStart, minuteOfDay, weekday } from './calendar.ts';
import type { Group } from './groups.ts';
import { overridesOf } from './groups.ts';
import type { Exposure } from './margin.ts';
import { FILLING, ORDER_TYPE, sideOf, TYPE_TIME, USER_RIGHT, type Position, type Side, type User } from './records.ts';
import {
  EXECUTION,
  FILL_FLAG,
  inSessions,
  integerOf,
  ORDER_FLAG,
  TIME_FLAG,
  TRADE_MODE,
  type SymbolSpec,
} from './symbols.ts';
import type { TradeRequest } from './trade-request.ts';
import { TRADE } from './trade-retcodes.ts';

export interface Bid {
  readonly bid: number;
  readonly ask: number;
}

/** The first of the checks that fails. */
export function firstFailure(...checks: readonly (() => number)[]): number {
  for (const check of checks) {
    const retcode = check();
    if (retcode !== 0) return retcode;
  }
  return 0;
}

export function mayTrade(user: User): number {
  if ((user.rights & USER_RIGHT.enabled) === 0) return TRADE.disabled;
  return (user.rights & (USER_RIGHT.tradeDisabled | USER_RIGHT.readOnly)) === 0 ? 0 : TRADE.disabled;
}

/** How many of them an account may have: its own limit, or its group's; 0 = none is set. */
export const mostOf = (own: string | undefined, ofGroup: number): number => Number(own ?? 0) || ofGroup || Infinity;

export function marketOpen(symbol: SymbolSpec, serverMs: number): boolean {
  return inSessions(symbol.sessionsTrades, weekday(serverMs), minuteOfDay(serverMs));
}

/** The trade mode of the symbol for a group, against what an order would do. */
export function tradeModeAllows(symbol: SymbolSpec, group: Group, side: Side, closing: boolean): number {
  const overrides = overridesOf(group, symbol);
  const mode = overrides?.['TradeMode'] === undefined ? symbol.tradeMode : integerOf(overrides, 'TradeMode', 4);
  switch (mode) {
    case TRADE_MODE.disabled:
      return TRADE.disabled;
    case TRADE_MODE.longOnly:
      return side === 0 || closing ? 0 : TRADE.longOnly;
    case TRADE_MODE.shortOnly:
      return side === 1 || closing ? 0 : TRADE.shortOnly;
    case TRADE_MODE.closeOnly:
      return closing ? 0 : TRADE.closeOnly;
    default:
      return 0;
  }
}

export function validVolume(symbol: SymbolSpec, volume: number): number {
  if (volume < symbol.volumeMin || volume > symbol.volumeMax) return TRADE.invalidVolume;
  return volume % symbol.volumeStep === 0 ? 0 : TRADE.invalidVolume;
}

/** Fill policy. Market orders: by the symbol's flags, RETURN only where execution is not by market. Pending: RETURN always. */
export function validFill(symbol: SymbolSpec, request: TradeRequest, pending: boolean): number {
  switch (request.typeFill) {
    case FILLING.fok:
      return (symbol.fillFlags & FILL_FLAG.fok) === 0 && !pending ? TRADE.invalidFill : 0;
    case FILLING.ioc:
      return (symbol.fillFlags & FILL_FLAG.ioc) === 0 ? TRADE.invalidFill : 0;
    case FILLING.return:
      return pending || symbol.execMode !== EXECUTION.market ? 0 : TRADE.invalidFill;
    default:
      return TRADE.invalidFill;
  }
}

/** Stop loss and take profit against the price they would close at: `reference` is the bid for a buy, the ask for a sell. */
export function validStops(symbol: SymbolSpec, side: Side, reference: number, sl: number, tp: number): number {
  const level = symbol.stopsLevel;
  if (
    (sl !== 0 && (symbol.orderFlags & ORDER_FLAG.sl) === 0) ||
    (tp !== 0 && (symbol.orderFlags & ORDER_FLAG.tp) === 0)
  ) {
    return TRADE.invalidStops;
  }
  const slDistance = side === 0 ? reference - sl : sl - reference;
  const tpDistance = side === 0 ? tp - reference : reference - tp;
  if (sl !== 0 && slDistance <= 0) return TRADE.invalidStops;
  if (tp !== 0 && tpDistance <= 0) return TRADE.invalidStops;
  return (sl !== 0 && slDistance < level) || (tp !== 0 && tpDistance < level) ? TRADE.invalidStops : 0;
}

/** Whether a pending order waits on the right side of the market, at least the stops level away. */
export function validPendingPrice(symbol: SymbolSpec, type: number, market: Bid, price: number, limit: number): number {
  if (price <= 0) return TRADE.invalidPrice;
  const distance = pendingDistance(type, market, price);
  if (distance <= 0 || distance < symbol.stopsLevel) return TRADE.invalidPrice;
  // PriceTrigger is where the limit order of a stop-limit order will be placed: on the better side of its stop price.
  if (type === ORDER_TYPE.buyStopLimit) return limit > 0 && limit <= price ? 0 : TRADE.invalidPrice;
  if (type === ORDER_TYPE.sellStopLimit) return limit > 0 && limit >= price ? 0 : TRADE.invalidPrice;
  return 0;
}

/** Points between the market and the price of a pending order; ≤ 0 where it would trigger at once. */
export function pendingDistance(type: number, market: Bid, price: number): number {
  switch (type) {
    case ORDER_TYPE.buyLimit:
      return market.ask - price;
    case ORDER_TYPE.sellLimit:
      return price - market.bid;
    case ORDER_TYPE.buyStop:
    case ORDER_TYPE.buyStopLimit:
      return price - market.ask;
    default:
      return market.bid - price;
  }
}

const ORDER_KIND: Readonly<Record<number, number>> = {
  [ORDER_TYPE.buyLimit]: ORDER_FLAG.limit,
  [ORDER_TYPE.sellLimit]: ORDER_FLAG.limit,
  [ORDER_TYPE.buyStop]: ORDER_FLAG.stop,
  [ORDER_TYPE.sellStop]: ORDER_FLAG.stop,
  [ORDER_TYPE.buyStopLimit]: ORDER_FLAG.stopLimit,
  [ORDER_TYPE.sellStopLimit]: ORDER_FLAG.stopLimit,
};

export function allowedPendingType(symbol: SymbolSpec, type: number): number {
  const flag = ORDER_KIND[type];
  return flag !== undefined && (symbol.orderFlags & flag) !== 0 ? 0 : TRADE.invalid;
}

export function validExpiration(symbol: SymbolSpec, request: TradeRequest, nowSeconds: number): number {
  const flags = [TIME_FLAG.gtc, TIME_FLAG.day, TIME_FLAG.specified, TIME_FLAG.specifiedDay];
  const flag = flags[request.typeTime];
  if (flag === undefined || (symbol.expirFlags & flag) === 0) return TRADE.invalidExpiration;
  if (request.typeTime < TYPE_TIME.specified) return 0;
  const until =
    request.typeTime === TYPE_TIME.specified
      ? request.timeExpiration
      : Math.floor((dayStart(request.timeExpiration * 1000) + DAY_MS) / 1000) - 1;
  return until > nowSeconds ? 0 : TRADE.invalidExpiration;
}

/** Positions of a symbol as they would stand after a deal. */
export function exposuresAfter(
  positions: readonly Position[],
  hedging: boolean,
  deal: {
    readonly side: Side;
    readonly volume: number;
    readonly price: number;
    readonly rateMargin: number;
    readonly position: number;
  },
): readonly Exposure[] {
  const added: Exposure = {
    action: deal.side,
    volume: deal.volume,
    priceOpen: deal.price,
    rateMargin: deal.rateMargin,
  };
  if (hedging && deal.position === 0) return [...positions, added];
  const target = hedging ? positions.find(({ ticket }) => ticket === deal.position) : positions[0];
  if (target === undefined) return [...positions, added];
  const others = positions.filter((position) => position !== target);
  if (target.action === deal.side) return [...others, target, added];
  const rest = target.volume - deal.volume;
  if (rest > 0) return [...others, { ...target, volume: rest }];
  return rest === 0 ? others : [...others, { ...added, volume: -rest }];
}

/** Volume of one direction in a symbol, positions and waiting orders, against VolumeLimit. */
export function withinVolumeLimit(
  symbol: SymbolSpec,
  side: Side,
  volume: number,
  held: {
    readonly positions: readonly Position[];
    readonly orders: readonly { readonly symbol: string; readonly type: number; readonly volumeCurrent: number }[];
  },
): number {
  if (symbol.volumeLimit === 0) return 0;
  let total = volume;
  for (const position of held.positions) {
    if (position.symbol === symbol.name && position.action === side) total += position.volume;
  }
  for (const order of held.orders) {
    if (order.symbol === symbol.name && sideOf(order.type) === side) total += order.volumeCurrent;
  }
  return total > symbol.volumeLimit ? TRADE.limitVolume : 0;
}
