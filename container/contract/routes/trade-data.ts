import { z } from 'zod';
import { noParams, noQuery } from '../route.ts';
import { DEAL_ENTRIES } from '../schemas/enums.ts';
import { clientReferenceIn } from '../schemas/operation.ts';
import { deal, order, position } from '../schemas/trade.ts';
import {
  decimal,
  flagIn,
  groupIn,
  instantMsOut,
  listOf,
  loginOut,
  lotsIn,
  positiveDecimalIn,
  readListOf,
  resumable,
  sideIn,
  symbolIn,
  ticketIn,
} from '../schemas/values.ts';
import { money } from '../schemas/account.ts';
import {
  defineLoginRead,
  defineManyRead,
  defineRead,
  LINES,
  ofMany,
  page,
  symbolFilter,
  who,
  window,
  windowed,
} from './read.ts';

const tag = 'Trade data';
const ticketParams = z.strictObject({ ticket: ticketIn });
const newestFirst = { newestFirst: flagIn('The newest first; otherwise the oldest.') };
const ownFilter = { ...symbolFilter, clientReference: clientReferenceIn.optional() };
const positionFilter = {
  position: ticketIn.optional().meta({ description: 'Only those of this position: its ticket.' }),
};
const dealFilters = {
  ...positionFilter,
  order: ticketIn.optional().meta({ description: 'Only those of this order: its ticket.' }),
  entry: z
    .enum(DEAL_ENTRIES, `expected one of ${DEAL_ENTRIES.join(', ')}`)
    .optional()
    .meta({ description: 'Only deals that open (`in`), close (`out`, `out_by`) or turn (`inout`) a position.' }),
};
const ofLogin = z.strictObject({ ...ownFilter, ...newestFirst, ...page() });
const ofLoginWindow = { ...ownFilter, ...window, ...newestFirst, ...page() };
const ofManyNow = ofMany({ ...who, ...ownFilter, ...page() });
const sorted = {
  sort: z.enum(['login', 'time'], 'expected "login" or "time"').default('login').meta({
    description: '`time`: all accounts together in order of time; needs `from`, at most 31 days before `to`.',
  }),
};
const ofManyWindow = { ...who, ...ownFilter, ...window, ...sorted, ...newestFirst, ...page() };
const SORTED_BY_TIME = {
  error: 'expected sort=time beside newestFirst: accounts are listed one after another otherwise',
  path: ['newestFirst'],
};
const newestByTime = (query: { sort: string; newestFirst: boolean }): boolean =>
  query.sort === 'time' || !query.newestFirst;
const login = { login: '1001' };

export const listAccountPositions = defineLoginRead({
  id: 'listAccountPositions',
  path: '/v1/accounts/{login}/positions',
  tag,
  summary: 'Open positions of an account, by ticket',
  query: ofLogin,
  answer: listOf(position.schema),
  example: { params: login },
});

export const listAccountOrders = defineLoginRead({
  id: 'listAccountOrders',
  path: '/v1/accounts/{login}/orders',
  tag,
  summary: 'Open orders of an account, by ticket',
  query: ofLogin.extend(positionFilter),
  answer: listOf(order.schema),
  example: { params: login },
});

export const listAccountOrderHistory = defineLoginRead({
  id: 'listAccountOrderHistory',
  conditional: true,
  path: '/v1/accounts/{login}/orders/history',
  tag,
  summary: 'Closed orders of an account, by the time they were done',
  query: windowed({ ...ofLoginWindow, ...positionFilter }),
  answer: resumable(listOf(order.schema)),
  example: { params: login, query: { limit: '5' } },
});

export const listAccountDeals = defineLoginRead({
  id: 'listAccountDeals',
  conditional: true,
  path: '/v1/accounts/{login}/deals',
  tag,
  summary: 'Deals of an account, by time; keep `resumeCursor` to read on later',
  query: windowed({ ...ofLoginWindow, ...dealFilters }),
  answer: resumable(listOf(deal.schema)),
  example: { params: login, query: { from: '2020-01-01T00:00:00Z', limit: '5' } },
});

export const listPositions = defineManyRead({
  id: 'listPositions',
  path: '/v1/positions',
  tag,
  summary: 'Open positions of many accounts, by login and ticket',
  description: LINES,
  lines: true,
  query: ofManyNow,
  answer: readListOf(position.schema),
  example: { query: { logins: '1001,1002', limit: '5' } },
});

export const getPosition = defineRead({
  id: 'getPosition',
  path: '/v1/positions/{ticket}',
  tag,
  summary: 'One open position',
  params: ticketParams,
  query: noQuery,
  answer: position.schema,
  example: { params: { ticket: '1' } },
});

export const listOrders = defineManyRead({
  id: 'listOrders',
  path: '/v1/orders',
  tag,
  summary: 'Open orders of many accounts, by login and ticket',
  query: ofManyNow,
  answer: readListOf(order.schema),
  example: { query: { group: 'real\\*', limit: '5' } },
});

export const listOrderHistory = defineManyRead({
  id: 'listOrderHistory',
  conditional: true,
  path: '/v1/orders/history',
  tag,
  summary: 'Closed orders of many accounts, by login, time and ticket, or all by time',
  query: ofMany({ ...ofManyWindow, ...positionFilter }).refine(newestByTime, SORTED_BY_TIME),
  answer: resumable(readListOf(order.schema)),
  example: { query: { logins: '1001,1002', limit: '5' } },
});

export const getHistoryOrder = defineRead({
  id: 'getHistoryOrder',
  path: '/v1/orders/history/{ticket}',
  tag,
  summary: 'One closed order',
  params: ticketParams,
  query: noQuery,
  answer: order.schema,
  example: { params: { ticket: '1' } },
});

export const getOrder = defineRead({
  id: 'getOrder',
  path: '/v1/orders/{ticket}',
  tag,
  summary: 'One open order',
  params: ticketParams,
  query: noQuery,
  answer: order.schema,
  example: { params: { ticket: '1' } },
});

export const listDeals = defineManyRead({
  id: 'listDeals',
  conditional: true,
  path: '/v1/deals',
  tag,
  summary: 'Deals of many accounts, by login, time and ticket, or all by time',
  description: LINES,
  lines: true,
  query: ofMany({ ...ofManyWindow, ...dealFilters }).refine(newestByTime, SORTED_BY_TIME),
  answer: resumable(readListOf(deal.schema)),
  example: { query: { logins: '1001,1002', limit: '5' } },
});

export const getDeal = defineRead({
  id: 'getDeal',
  path: '/v1/deals/{ticket}',
  tag,
  summary: 'One deal',
  params: ticketParams,
  query: noQuery,
  answer: deal.schema,
  example: { params: { ticket: '1' } },
});

export const checkMargin = defineLoginRead({
  id: 'checkMargin',
  path: '/v1/accounts/{login}/margin-check',
  tag: 'Calculations',
  summary: 'The account’s money now, and as it would be with one more order; places nothing',
  query: z.strictObject({
    symbol: symbolIn,
    side: sideIn,
    volume: lotsIn,
    price: positiveDecimalIn.optional().meta({ description: 'Absent = at the market.' }),
  }),
  answer: z
    .object({
      login: loginOut,
      current: money.schema.nullable(),
      afterwards: money.schema.nullable(),
      enough: z
        .boolean()
        .nullable()
        .meta({ description: 'Whether free margin would not fall below 0; `null` where the broker does not tell it.' }),
    })
    .meta({ id: 'MarginCheck' }),
  example: { params: login, query: { symbol: 'EURUSD', side: 'buy', volume: '0.10' } },
});

export const calculateProfit = defineRead({
  id: 'calculateProfit',
  path: '/v1/profit',
  tag: 'Calculations',
  summary: 'Profit of a trade in the currency of a group',
  params: noParams,
  query: z.strictObject({
    group: groupIn,
    symbol: symbolIn,
    side: sideIn,
    volume: lotsIn,
    priceOpen: positiveDecimalIn,
    priceClose: positiveDecimalIn,
  }),
  answer: z.object({ profit: decimal, profitRate: decimal.nullable() }).meta({ id: 'Profit' }),
  example: {
    query: {
      group: 'real\\hedge-usd',
      symbol: 'EURUSD',
      side: 'buy',
      volume: '0.10',
      priceOpen: '1.10000',
      priceClose: '1.10500',
    },
  },
});

const currencyIn = z.string().regex(/^[A-Za-z0-9]{2,15}$/, 'expected a currency like "EUR"');

export const getRate = defineRead({
  id: 'getRate',
  path: '/v1/rates',
  tag: 'Calculations',
  summary: 'Conversion rate between two currencies, as a group buys or sells',
  params: noParams,
  query: z.strictObject({
    base: currencyIn.meta({ description: 'From.' }),
    currency: currencyIn.meta({ description: 'To.' }),
    side: sideIn,
    group: groupIn.optional(),
    symbol: symbolIn.optional(),
    price: positiveDecimalIn.optional(),
  }),
  answer: z
    .object({ base: z.string(), currency: z.string(), rate: decimal, calculatedAtMs: instantMsOut })
    .meta({ id: 'Rate' }),
  example: { query: { base: 'EUR', currency: 'USD', side: 'buy', group: 'real\\hedge-usd' } },
});

export const tradeDataRoutes = [
  listAccountPositions,
  listAccountOrders,
  listAccountOrderHistory,
  listAccountDeals,
  listPositions,
  getPosition,
  listOrders,
  listOrderHistory,
  getHistoryOrder,
  getOrder,
  listDeals,
  getDeal,
  checkMargin,
  calculateProfit,
  getRate,
] as const;
