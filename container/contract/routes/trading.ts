import { z } from 'zod';
import { DEALER_PRICE_SCOPE, type Scope } from '../keys.ts';
import { defineRoute, noParams } from '../route.ts';
import { dryRunAnswer, dryRunQuery, operation, ownWords, ownWordsFit, tradeResult } from '../schemas/operation.ts';
import { deal, order, position } from '../schemas/trade.ts';
import {
  decimalBody,
  instantIn,
  loginBody,
  lotsBody,
  positiveDecimalBody,
  sideIn,
  symbolIn,
  ticketIn,
} from '../schemas/values.ts';

/** Orders and positions. Every write is one operation of the ledger and happens at most once. */

const ticketParams = z.strictObject({ ticket: ticketIn });

/** Absent where the operation is not settled (202); `dryRun` alone after a dry run. */
const tradeAnswer = z
  .object({
    operation: operation.optional(),
    order: order.schema.nullable().optional(),
    deals: z.array(deal.schema).optional(),
    position: position.schema.nullable().optional(),
    result: tradeResult.optional(),
    dryRun: dryRunAnswer.optional(),
  })
  .meta({ id: 'TradeAnswer' });

const timeInForceIn = z.enum(['gtc', 'day', 'gtd', 'gtd_day'], 'expected "gtc", "day", "gtd" or "gtd_day"');
const fillingIn = z.enum(['fok', 'ioc', 'return'], 'expected "fok", "ioc" or "return"');
/** A price level, or `null`/0 for none. */
const level = z
  .union([decimalBody.refine((text) => !text.startsWith('-'), 'expected a price like "1.10850", or null'), z.null()])
  .meta({ description: 'Price; `null` = none.' });

/** How a trade at the market is bounded, or priced by a dealer. Its price is the market's: a caller names none. */
const marketFields = {
  expectedPrice: positiveDecimalBody
    .optional()
    .meta({ description: 'Refuse with 409 `price_moved` where the quote is further from it than `maxDeviation`.' }),
  maxDeviation: z
    .int('expected whole points')
    .min(0, 'expected whole points, 0 or more')
    .max(1_000_000_000, 'expected at most 1000000000 points')
    .optional()
    .meta({ description: 'Points, the last digit of the symbol’s price; 0 where `expectedPrice` stands alone.' }),
  dealerPrice: positiveDecimalBody
    .optional()
    .meta({ description: 'Executes at this price whatever the market: a correction. Needs the scope `manage`.' }),
};
const NO_PRICE = 'expected no price: the trade executes at the market; bound it with expectedPrice and maxDeviation';
interface MarketFields {
  readonly expectedPrice?: string | undefined;
  readonly maxDeviation?: number | undefined;
  readonly dealerPrice?: string | undefined;
}
const boundIsWhole = {
  check: (body: MarketFields) => body.maxDeviation === undefined || body.expectedPrice !== undefined,
  params: { path: ['maxDeviation'], error: 'expected together with expectedPrice only' },
};
const pricedOnce = {
  check: (body: MarketFields) => body.dealerPrice === undefined || body.expectedPrice === undefined,
  params: { path: ['expectedPrice'], error: 'expected no expectedPrice beside dealerPrice' },
};
const scopesOf = ({ body }: { body: MarketFields | undefined }): readonly Scope[] =>
  body?.dealerPrice === undefined ? [] : [DEALER_PRICE_SCOPE];

const needs = (wanted: boolean, present: boolean): boolean => wanted === present;

export const placeOrder = defineRoute({
  id: 'placeOrder',
  method: 'POST',
  path: '/v1/orders',
  tag: 'Trading',
  summary: 'Place an order: market, limit, stop or stop-limit',
  description:
    'Checked against the symbol’s settings for the account’s group before anything is sent. 201 when the dealer ' +
    'executed or placed it, 422 when it was refused, 202 while the outcome is not known yet: then `Location` names ' +
    'the operation. Send the same request with the same key again as often as you like.',
  scope: 'trade',
  write: true,
  params: noParams,
  query: dryRunQuery,
  body: z
    .strictObject({
      login: loginBody,
      symbol: symbolIn,
      side: sideIn,
      type: z
        .enum(['market', 'limit', 'stop', 'stop_limit'], 'expected "market", "limit", "stop" or "stop_limit"')
        .default('market'),
      volume: lotsBody,
      price: positiveDecimalBody.optional().meta({
        openapi: {
          type: 'string',
          description:
            'Of a pending order. Of a `stop_limit`, the price that triggers: reached, it places the limit order.',
        },
      }),
      stopLimitPrice: positiveDecimalBody.optional().meta({
        openapi: {
          type: 'string',
          description: 'Of a `stop_limit`: the price of the limit order that is placed when `price` is reached.',
        },
      }),
      stopLoss: level.optional(),
      takeProfit: level.optional(),
      filling: fillingIn.optional(),
      timeInForce: timeInForceIn.optional(),
      expiresAt: instantIn.optional(),
      ...ownWords,
      ...marketFields,
    })
    .refine((body) => body.type !== 'market' || body.price === undefined, { path: ['price'], error: NO_PRICE })
    .refine((body) => body.type === 'market' || body.expectedPrice === undefined, {
      path: ['expectedPrice'],
      error: 'expected for a market order only',
    })
    .refine((body) => body.type === 'market' || body.dealerPrice === undefined, {
      path: ['dealerPrice'],
      error: 'expected for a market order only',
    })
    .refine(boundIsWhole.check, boundIsWhole.params)
    .refine(pricedOnce.check, pricedOnce.params)
    .refine(ownWordsFit.check, ownWordsFit.params)
    .refine((body) => body.type === 'market' || body.price !== undefined, {
      path: ['price'],
      error: 'expected a price for an order that is not a market order',
    })
    .refine((body) => needs(body.type === 'stop_limit', body.stopLimitPrice !== undefined), {
      path: ['stopLimitPrice'],
      error: 'expected for a stop_limit order, and for no other',
    })
    .refine(
      (body) => needs(body.timeInForce === 'gtd' || body.timeInForce === 'gtd_day', body.expiresAt !== undefined),
      { path: ['expiresAt'], error: 'expected with timeInForce "gtd" or "gtd_day", and with no other' },
    )
    .refine((body) => body.type !== 'market' || (body.timeInForce ?? 'gtc') === 'gtc', {
      path: ['timeInForce'],
      error: 'expected no timeInForce for a market order',
    }),
  brief: true,
  answer: tradeAnswer,
  status: 201,
  logins: ({ body }) => [body.login],
  scopes: scopesOf,
  example: { body: { login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.10' } },
});

export const modifyOrder = defineRoute({
  id: 'modifyOrder',
  method: 'PATCH',
  path: '/v1/orders/{ticket}',
  tag: 'Trading',
  summary: 'Change price, levels or expiration of a pending order',
  scope: 'trade',
  write: true,
  params: ticketParams,
  query: dryRunQuery,
  body: z
    .strictObject({
      price: positiveDecimalBody.optional(),
      stopLimitPrice: positiveDecimalBody.optional(),
      stopLoss: level.optional(),
      takeProfit: level.optional(),
      timeInForce: timeInForceIn.optional(),
      expiresAt: instantIn.optional(),
    })
    .refine((body) => Object.values(body).some((value) => value !== undefined), 'expected at least one change')
    .refine(
      (body) =>
        body.timeInForce === undefined
          ? true
          : needs(body.timeInForce === 'gtd' || body.timeInForce === 'gtd_day', body.expiresAt !== undefined),
      { path: ['expiresAt'], error: 'expected with timeInForce "gtd" or "gtd_day", and with no other' },
    ),
  brief: true,
  answer: tradeAnswer,
  status: 200,
  example: { params: { ticket: '100001' }, body: { price: '1.05000' } },
});

export const cancelOrder = defineRoute({
  id: 'cancelOrder',
  method: 'DELETE',
  path: '/v1/orders/{ticket}',
  tag: 'Trading',
  summary: 'Cancel a pending order',
  scope: 'trade',
  write: true,
  params: ticketParams,
  query: dryRunQuery,
  brief: true,
  answer: tradeAnswer,
  status: 200,
  example: { params: { ticket: '100001' } },
});

export const modifyPosition = defineRoute({
  id: 'modifyPosition',
  method: 'PATCH',
  path: '/v1/positions/{ticket}',
  tag: 'Trading',
  summary: 'Set or clear stop loss and take profit of a position',
  scope: 'trade',
  write: true,
  params: ticketParams,
  query: dryRunQuery,
  body: z
    .strictObject({ stopLoss: level.optional(), takeProfit: level.optional() })
    .refine((body) => body.stopLoss !== undefined || body.takeProfit !== undefined, {
      path: ['stopLoss'],
      error: 'expected stopLoss, takeProfit or both',
    }),
  brief: true,
  answer: tradeAnswer,
  status: 200,
  example: { params: { ticket: '100001' }, body: { stopLoss: '1.05000' } },
});

export const closePosition = defineRoute({
  id: 'closePosition',
  method: 'POST',
  path: '/v1/positions/{ticket}/close',
  tag: 'Trading',
  summary: 'Close a position, wholly or in part',
  scope: 'trade',
  write: true,
  params: ticketParams,
  query: dryRunQuery,
  body: z
    .strictObject({
      volume: lotsBody.optional(),
      price: z.never(NO_PRICE).optional().meta({ description: 'Not taken.' }),
      filling: fillingIn.optional(),
      ...ownWords,
      ...marketFields,
    })
    .refine(boundIsWhole.check, boundIsWhole.params)
    .refine(pricedOnce.check, pricedOnce.params)
    .refine(ownWordsFit.check, ownWordsFit.params),
  bodyOptional: true,
  brief: true,
  answer: tradeAnswer,
  status: 200,
  scopes: scopesOf,
  example: { params: { ticket: '100001' }, body: { volume: '0.05' } },
});

export const closePositionBy = defineRoute({
  id: 'closePositionBy',
  method: 'POST',
  path: '/v1/positions/{ticket}/close-by',
  tag: 'Trading',
  summary: 'Close a position by an opposite one of the same symbol',
  scope: 'trade',
  write: true,
  params: ticketParams,
  query: dryRunQuery,
  body: z.strictObject({ by: ticketIn, ...ownWords }).refine(ownWordsFit.check, ownWordsFit.params),
  brief: true,
  answer: tradeAnswer,
  status: 200,
  example: { params: { ticket: '100001' }, body: { by: '100002' } },
});

export const tradingRoutes = [
  placeOrder,
  modifyOrder,
  cancelOrder,
  modifyPosition,
  closePosition,
  closePositionBy,
] as const;
