/** The dealer's desk: carries out actions 200–208 against the books. One call, one outcome; it never waits. */
import { balanceRetcode } from './balance.ts';
import type { World } from './world.ts';
import { executeMarket } from './market-order.ts';
import { parseDecimal } from './money.ts';
import { newOrder } from './orders.ts';
import { ORDER_STATE, ORDER_TYPE, REASON, sideOf, TYPE_TIME, type Order, type User } from './records.ts';
import type { Group } from './groups.ts';
import type { SymbolSpec } from './symbols.ts';
import { ACTION, priceOf, type TradeRequest } from './trade-request.ts';
import { TRADE } from './trade-retcodes.ts';
import {
  allowedPendingType,
  firstFailure,
  marketOpen,
  mayTrade,
  mostOf,
  tradeModeAllows,
  validExpiration,
  validFill,
  validPendingPrice,
  validStops,
  validVolume,
  withinVolumeLimit,
  type Bid,
} from './trade-rules.ts';

/** What became of a request. */
export interface Outcome {
  readonly retcode: number;
  readonly order?: number;
  readonly deal?: number;
  readonly volume?: number;
  readonly price?: number;
  readonly market?: Bid;
  readonly digits?: number;
}

/** Everything an action works with. */
export interface Desk {
  readonly world: World;
  readonly request: TradeRequest;
  readonly user: User;
  readonly group: Group;
  readonly symbol: SymbolSpec;
  readonly market: Bid;
  /** Server time, ms. */
  readonly nowMs: number;
  /** Share of the volume the market has, per cent; 100 = all. */
  readonly liquidityPercent: number;
}

export const refuse = (desk: Pick<Desk, 'market' | 'symbol'>, retcode: number): Outcome => ({
  retcode,
  market: desk.market,
  digits: desk.symbol.digits,
});

/** Carries out a request at a server time. */
export function carryOut(world: World, request: TradeRequest, nowMs: number, liquidityPercent = 100): Outcome {
  const user = world.books.users.get(request.login);
  if (user === undefined) return { retcode: TRADE.invalid };
  if (request.action === ACTION.balance) return balance(world, request, user, nowMs);
  const name = symbolNameOf(world, request);
  const symbol = name === undefined ? undefined : world.books.symbols.get(name);
  if (symbol === undefined) return { retcode: request.symbol === '' ? missingTarget(request) : TRADE.invalid };
  const group = world.books.groupOf(user);
  const market = world.accounts.price(group, symbol);
  if (market === undefined) return { retcode: TRADE.noPrices };
  const desk: Desk = { world, request, user, group, symbol, market, nowMs, liquidityPercent };
  const failure = firstFailure(
    () => (request.digits === undefined || request.digits === symbol.digits ? 0 : TRADE.invalid),
    () => mayTrade(user),
  );
  if (failure !== 0) return refuse(desk, failure);
  switch (request.action) {
    case ACTION.execute:
      return executeMarket(desk);
    case ACTION.pending:
      return placePending(desk);
    case ACTION.modifyPosition:
      return modifyPosition(desk);
    case ACTION.closeBy:
      return closeBy(desk);
    default:
      return changeOrder(desk);
  }
}

function missingTarget(request: TradeRequest): number {
  if (request.order !== 0) return TRADE.invalidOrder;
  return request.position === 0 ? TRADE.invalid : TRADE.positionClosed;
}

/** The symbol a request is about: named, or that of its order or position. */
function symbolNameOf(world: World, request: TradeRequest): string | undefined {
  if (request.symbol !== '') return request.symbol;
  return world.books.orders.get(request.order)?.symbol ?? world.books.positions.get(request.position)?.symbol;
}

function balance(world: World, request: TradeRequest, user: User, nowMs: number): Outcome {
  const { currencyDigits } = world.books.groupOf(user);
  const amount = parseDecimal(request.fields['PriceOrder'] ?? '', currencyDigits);
  if (amount === undefined) return { retcode: TRADE.invalid };
  const operation = {
    user,
    action: request.type,
    amount,
    comment: request.comment,
    dealer: request.dealer,
    timeMsc: nowMs,
  };
  const retcode = balanceRetcode(world, operation, true);
  if (retcode !== 0) return { retcode: retcode === TRADE.noMoney ? retcode : TRADE.invalid };
  return { retcode: TRADE.done, deal: world.execution.balance(operation).ticket };
}

function placePending(desk: Desk): Outcome {
  const { request, symbol, market, world, user, group } = desk;
  const price = priceOf(request, 'PriceOrder', symbol);
  const trigger = priceOf(request, 'PriceTrigger', symbol);
  const sl = priceOf(request, 'PriceSL', symbol);
  const tp = priceOf(request, 'PriceTP', symbol);
  if (price === undefined || trigger === undefined) return refuse(desk, TRADE.invalidPrice);
  if (sl === undefined || tp === undefined) return refuse(desk, TRADE.invalidStops);
  const side = sideOf(request.type);
  const orders = world.books.orders.of(user.login);
  const isStopLimit = request.type === ORDER_TYPE.buyStopLimit || request.type === ORDER_TYPE.sellStopLimit;
  const failure = firstFailure(
    () => allowedPendingType(symbol, request.type),
    () => tradeModeAllows(symbol, group, side, false),
    () => (marketOpen(symbol, desk.nowMs) ? 0 : TRADE.marketClosed),
    () => validVolume(symbol, request.volume),
    () => validFill(symbol, request, true),
    () => validPendingPrice(symbol, request.type, market, price, trigger),
    () => validStops(symbol, side, isStopLimit ? trigger : price, sl, tp),
    () => validExpiration(symbol, request, Math.floor(desk.nowMs / 1000)),
    () => (orders.length >= mostOf(user.fields['LimitOrders'], group.limitOrders) ? TRADE.limitOrders : 0),
    () => withinVolumeLimit(symbol, side, request.volume, { positions: world.books.positions.of(user.login), orders }),
  );
  if (failure !== 0) return refuse(desk, failure);
  const order = newOrder(symbol, group, request.volume, {
    ticket: world.books.nextOrderTicket(),
    login: user.login,
    dealer: request.dealer,
    type: request.type,
    typeFill: request.typeFill,
    typeTime: request.typeTime,
    timeExpiration: request.typeTime < TYPE_TIME.specified ? 0 : request.timeExpiration,
    timeSetupMsc: desk.nowMs,
    reason: REASON.dealer,
    state: ORDER_STATE.placed,
    price,
    priceTrigger: isStopLimit ? trigger : 0,
    sl,
    tp,
    comment: request.comment,
    externalId: request.fields['OrderExternalID'] ?? '',
  });
  world.books.orders.add(order);
  world.books.version += 1;
  return {
    retcode: TRADE.done,
    order: order.ticket,
    volume: order.volumeInitial,
    price,
    market,
    digits: symbol.digits,
  };
}

/** A field of the request that changes a price: absent means it stays. */
function changedPrice(desk: Desk, name: string, before: number): number | undefined {
  return desk.request.fields[name] === undefined ? before : priceOf(desk.request, name, desk.symbol);
}

function modifyPosition(desk: Desk): Outcome {
  const { world, request, symbol, market, user } = desk;
  const position =
    request.position === 0
      ? world.books.positions.of(user.login).find((candidate) => candidate.symbol === symbol.name)
      : world.books.positions.get(request.position);
  if (position === undefined || position.login !== user.login || position.symbol !== symbol.name) {
    return refuse(desk, TRADE.positionClosed);
  }
  const sl = changedPrice(desk, 'PriceSL', position.sl);
  const tp = changedPrice(desk, 'PriceTP', position.tp);
  if (sl === undefined || tp === undefined) return refuse(desk, TRADE.invalidStops);
  if (sl === position.sl && tp === position.tp) return refuse(desk, TRADE.noChanges);
  const reference = position.action === 0 ? market.bid : market.ask;
  const failure = firstFailure(
    () => (marketOpen(symbol, desk.nowMs) ? 0 : TRADE.marketClosed),
    () => validStops(symbol, position.action, reference, sl === position.sl ? 0 : sl, tp === position.tp ? 0 : tp),
  );
  if (failure !== 0) return refuse(desk, failure);
  Object.assign(position, { sl, tp, timeUpdateMsc: desk.nowMs, dealer: request.dealer });
  world.books.version += 1;
  return { retcode: TRADE.done, order: position.ticket, volume: position.volume, market, digits: symbol.digits };
}

function closeBy(desk: Desk): Outcome {
  const { world, request, group, symbol, market, user } = desk;
  const position = world.books.positions.get(request.position);
  const by = world.books.positions.get(request.positionBy);
  if (!group.hedging) return refuse(desk, TRADE.invalid);
  if (position === undefined || by === undefined || position.login !== user.login || by.login !== user.login) {
    return refuse(desk, TRADE.positionClosed);
  }
  if (position.symbol !== symbol.name || by.symbol !== symbol.name || position.action === by.action) {
    return refuse(desk, TRADE.invalid);
  }
  if (!marketOpen(symbol, desk.nowMs)) return refuse(desk, TRADE.marketClosed);
  const volume = Math.min(position.volume, by.volume);
  const order = newOrder(symbol, group, volume, {
    ticket: world.books.nextOrderTicket(),
    login: user.login,
    dealer: request.dealer,
    type: ORDER_TYPE.closeBy,
    timeSetupMsc: desk.nowMs,
    reason: REASON.dealer,
    price: by.priceOpen,
    positionId: position.ticket,
    positionById: by.ticket,
    comment: request.comment,
  });
  const [deal] = world.execution.closeBy(order, position, by, desk.nowMs);
  world.execution.archive(order, ORDER_STATE.filled, desk.nowMs);
  return {
    retcode: TRADE.done,
    order: order.ticket,
    deal: deal.ticket,
    volume,
    price: deal.price,
    market,
    digits: symbol.digits,
  };
}

/** Actions on a waiting order: modify, remove, activate, place the limit of a stop-limit. */
function changeOrder(desk: Desk): Outcome {
  const { world, request, symbol, market, user } = desk;
  const order = world.books.orders.get(request.order);
  if (order === undefined || order.login !== user.login || order.symbol !== symbol.name) {
    return refuse(desk, world.books.history.get(request.order) === undefined ? TRADE.invalidOrder : TRADE.orderChanged);
  }
  const outcome = (price: number): Outcome => ({
    retcode: TRADE.done,
    order: order.ticket,
    volume: order.volumeCurrent,
    price,
    market,
    digits: symbol.digits,
  });
  if (request.action === ACTION.remove) {
    world.execution.archive(order, ORDER_STATE.canceled, desk.nowMs);
    return outcome(order.price);
  }
  if (!marketOpen(symbol, desk.nowMs)) return refuse(desk, TRADE.marketClosed);
  if (request.action === ACTION.modifyOrder) return modifyOrder(desk, order, outcome);
  if (request.action === ACTION.stopLimit) {
    if (!becomeLimit(order)) return refuse(desk, TRADE.invalid);
    world.books.version += 1;
    return outcome(order.price);
  }
  return executeMarket({ ...desk, request: { ...request, volume: order.volumeCurrent } }, order);
}

/** A stop-limit order whose stop price was reached waits on as a limit order at its trigger price. */
export function becomeLimit(order: Order): boolean {
  if (order.type !== ORDER_TYPE.buyStopLimit && order.type !== ORDER_TYPE.sellStopLimit) return false;
  order.type = order.type === ORDER_TYPE.buyStopLimit ? ORDER_TYPE.buyLimit : ORDER_TYPE.sellLimit;
  order.price = order.priceTrigger;
  order.priceTrigger = 0;
  return true;
}

function modifyOrder(desk: Desk, order: Order, outcome: (price: number) => Outcome): Outcome {
  const { request, symbol, market, world } = desk;
  const price = changedPrice(desk, 'PriceOrder', order.price);
  const priceTrigger = changedPrice(desk, 'PriceTrigger', order.priceTrigger);
  const sl = changedPrice(desk, 'PriceSL', order.sl);
  const tp = changedPrice(desk, 'PriceTP', order.tp);
  if (price === undefined || priceTrigger === undefined) return refuse(desk, TRADE.invalidPrice);
  if (sl === undefined || tp === undefined) return refuse(desk, TRADE.invalidStops);
  const typeTime = request.fields['TypeTime'] === undefined ? order.typeTime : request.typeTime;
  const timeExpiration = request.fields['TimeExpiration'] === undefined ? order.timeExpiration : request.timeExpiration;
  const change = {
    price,
    priceTrigger,
    sl,
    tp,
    typeTime,
    timeExpiration: typeTime < TYPE_TIME.specified ? 0 : timeExpiration,
  };
  const names = Object.keys(change) as (keyof typeof change)[];
  if (names.every((name) => order[name] === change[name])) return refuse(desk, TRADE.noChanges);
  const failure = firstFailure(
    () => validPendingPrice(symbol, order.type, market, price, priceTrigger),
    () => validStops(symbol, sideOf(order.type), priceTrigger === 0 ? price : priceTrigger, sl, tp),
    () => validExpiration(symbol, { ...request, typeTime, timeExpiration }, Math.floor(desk.nowMs / 1000)),
  );
  if (failure !== 0) return refuse(desk, failure);
  Object.assign(order, change);
  world.books.version += 1;
  return outcome(price);
}
