/** A deal at the market: by a dealer's request, or for a waiting order whose price has come. */
import type { Desk, Outcome } from './dealer-desk.ts';
import { newOrder } from './orders.ts';
import { FILLING, ORDER_STATE, ORDER_TYPE, REASON, sideOf, type Order } from './records.ts';
import { ORDER_FLAG } from './symbols.ts';
import { priceOf, REQUEST_FLAG, type TradeRequest } from './trade-request.ts';
import { TRADE } from './trade-retcodes.ts';
import {
  exposuresAfter,
  firstFailure,
  marketOpen,
  mostOf,
  tradeModeAllows,
  validFill,
  validStops,
  validVolume,
  withinVolumeLimit,
} from './trade-rules.ts';

/** A dealer's price may differ from the market by this share of it. */
const PRICE_BAND_PERCENT = 10;

/** The price a request executes at, or the code that refuses it. */
function executionPrice(
  desk: Desk,
  order: Order | undefined,
): { readonly price: number } | { readonly retcode: number } {
  const { request, symbol, market } = desk;
  const price = sideOf(order?.type ?? request.type) === 0 ? market.ask : market.bid;
  const asked = priceOf(request, 'PriceOrder', symbol);
  if (asked === undefined) return { retcode: TRADE.invalidPrice };
  if (asked === 0 || (request.flags & REQUEST_FLAG.market) !== 0) return { price };
  if (Math.abs(asked - price) * 100 > price * PRICE_BAND_PERCENT) return { retcode: TRADE.invalidPrice };
  const deviation = Number(request.fields['PriceDeviation'] ?? 0);
  if (deviation > 0 && Math.abs(asked - price) > deviation) return { retcode: TRADE.requote };
  return { price: asked };
}

/** What an activated order asks for. One that is partly filled goes on with the position it opened. */
function executedRequest({ request, group }: Desk, order: Order | undefined): TradeRequest {
  if (order === undefined) return request;
  const position = group.hedging && order.positionId !== order.ticket ? order.positionId : 0;
  return { ...request, type: sideOf(order.type), typeFill: order.typeFill, position };
}

/** Executes at the market. `order` is the waiting order that is being activated, if any. */
export function executeMarket(desk: Desk, order?: Order): Outcome {
  const { world, user, group, symbol, market } = desk;
  const request = executedRequest(desk, order);
  const refusal = (retcode: number, price?: number): Outcome => ({
    retcode,
    market,
    digits: symbol.digits,
    ...(price === undefined ? {} : { price }),
  });
  if (request.type !== ORDER_TYPE.buy && request.type !== ORDER_TYPE.sell) return refusal(TRADE.invalid);
  const side = request.type;
  const positions = world.books.positions.of(user.login).filter(({ symbol: name }) => name === symbol.name);
  const target = request.position === 0 ? undefined : positions.find(({ ticket }) => ticket === request.position);
  if (request.position !== 0 && target === undefined) return refusal(TRADE.positionClosed);
  if ((request.flags & REQUEST_FLAG.close) !== 0 && request.position === 0 && (group.hedging || positions.length === 0))
    return refusal(TRADE.invalid);
  const closes = group.hedging ? target : positions[0];
  const closing = closes !== undefined && closes.action !== side && request.volume <= closes.volume;
  if (group.hedging && target !== undefined) {
    if (target.action === side) return refusal(TRADE.invalid);
    if (request.volume > target.volume) return refusal(TRADE.invalidCloseVolume);
  }
  const sl = priceOf(request, 'PriceSL', symbol);
  const tp = priceOf(request, 'PriceTP', symbol);
  if (sl === undefined || tp === undefined) return refusal(TRADE.invalidStops);
  const execution = executionPrice({ ...desk, request }, order);
  if ('retcode' in execution) return refusal(execution.retcode, side === 0 ? market.ask : market.bid);
  const { price } = execution;
  const failure = firstFailure(
    () => ((symbol.orderFlags & ORDER_FLAG.market) === 0 && order === undefined ? TRADE.invalid : 0),
    () => tradeModeAllows(symbol, group, side, closing),
    () => (marketOpen(symbol, desk.nowMs) ? 0 : TRADE.marketClosed),
    () =>
      order !== undefined || (closing && request.volume === closes.volume) ? 0 : validVolume(symbol, request.volume),
    () => (order === undefined ? validFill(symbol, request, false) : 0),
    () => (closing || order !== undefined ? 0 : validStops(symbol, side, side === 0 ? market.bid : market.ask, sl, tp)),
    () =>
      closing ||
      !group.hedging ||
      world.books.positions.of(user.login).length < mostOf(user.fields['LimitPositions'], group.limitPositions)
        ? 0
        : TRADE.limitPositions,
    () =>
      closing || order !== undefined
        ? 0
        : withinVolumeLimit(symbol, side, request.volume, { positions, orders: world.books.orders.of(user.login) }),
    () =>
      closing || (request.flags & REQUEST_FLAG.skipMarginCheck) !== 0 || enoughMoney(desk, request, side, price)
        ? 0
        : TRADE.noMoney,
  );
  if (failure !== 0) return refusal(failure);
  return fillByPolicy(desk, request, { order, sl, tp, price });
}

/** Whether free margin stays ≥ 0. A deal that lowers margin is always affordable. */
function enoughMoney(desk: Desk, request: TradeRequest, side: 0 | 1, price: number): boolean {
  const { world, user, group, symbol } = desk;
  const positions = world.books.positions.of(user.login).filter(({ symbol: name }) => name === symbol.name);
  const rateMargin = world.accounts.rateMargin(group, symbol, side);
  const exposures = exposuresAfter(positions, group.hedging, {
    side,
    volume: request.volume,
    price,
    rateMargin,
    position: request.position,
  });
  const before = world.accounts.state(user);
  const after = world.accounts.state(user, { symbol: symbol.name, exposures });
  return after.margin <= before.margin || after.marginFree >= 0;
}

/** As much as the market has: FOK all or nothing, IOC what there is, RETURN leaves the rest waiting. */
function fillByPolicy(
  desk: Desk,
  request: TradeRequest,
  terms: { readonly order: Order | undefined; readonly sl: number; readonly tp: number; readonly price: number },
): Outcome {
  const { world, group, symbol, market, user, nowMs } = desk;
  const { price } = terms;
  const steps = Math.floor((request.volume * desk.liquidityPercent) / 100 / symbol.volumeStep);
  const available =
    desk.liquidityPercent >= 100 ? request.volume : Math.min(request.volume, Math.max(1, steps) * symbol.volumeStep);
  if (available < request.volume && request.typeFill === FILLING.fok)
    return { retcode: TRADE.reject, market, digits: symbol.digits };
  const order =
    terms.order ??
    newOrder(symbol, group, request.volume, {
      ticket: world.books.nextOrderTicket(),
      login: user.login,
      dealer: request.dealer,
      type: request.type,
      typeFill: request.typeFill,
      timeSetupMsc: nowMs,
      reason: (request.flags & REQUEST_FLAG.expert) === 0 ? REASON.dealer : REASON.expert,
      price,
      sl: terms.sl,
      tp: terms.tp,
      positionId: request.position,
      comment: request.comment,
      externalId: request.fields['OrderExternalID'] ?? '',
    });
  const deal = world.execution.execute({ order, volume: available, price, timeMsc: nowMs });
  const partial = order.volumeCurrent > 0;
  if (!partial) world.execution.archive(order, ORDER_STATE.filled, nowMs);
  else if (request.typeFill === FILLING.ioc) world.execution.archive(order, ORDER_STATE.canceled, nowMs);
  else if (terms.order === undefined) world.books.orders.add(order);
  return {
    retcode: partial ? TRADE.donePartial : TRADE.done,
    order: order.ticket,
    deal: deal.ticket,
    volume: available,
    price,
    market,
    digits: symbol.digits,
  };
}
