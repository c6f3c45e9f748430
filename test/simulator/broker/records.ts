/**
 * The records of the books, in exact integers: prices in points of `digits`, volumes in 1e-8 lots, money in the
 * smallest unit of the deposit currency, rates in 1e-8, times in milliseconds of server time.
 */

import type { Group } from './groups.ts';
import type { SymbolSpec } from './symbols.ts';

/** Numbers as in the server's enumerations (Order.EnOrderType …): mt5-webapi.md §3.10. */
export const ORDER_TYPE = {
  buy: 0,
  sell: 1,
  buyLimit: 2,
  sellLimit: 3,
  buyStop: 4,
  sellStop: 5,
  buyStopLimit: 6,
  sellStopLimit: 7,
  closeBy: 8,
} as const;
export const FILLING = { fok: 0, ioc: 1, return: 2 } as const;
export const TYPE_TIME = { gtc: 0, day: 1, specified: 2, specifiedDay: 3 } as const;
export const ORDER_STATE = {
  started: 0,
  placed: 1,
  canceled: 2,
  partial: 3,
  filled: 4,
  rejected: 5,
  expired: 6,
} as const;
export const REASON = {
  client: 0,
  expert: 1,
  dealer: 2,
  sl: 3,
  tp: 4,
  so: 5,
  rollover: 6,
  mobile: 16,
  web: 17,
} as const;
export const DEAL_ACTION = { buy: 0, sell: 1, balance: 2, credit: 3, charge: 4, correction: 5, bonus: 6 } as const;
export const ENTRY = { in: 0, out: 1, inOut: 2, outBy: 3 } as const;
export const USER_RIGHT = {
  enabled: 0x1,
  password: 0x2,
  tradeDisabled: 0x4,
  investor: 0x8,
  confirmed: 0x10,
  trailing: 0x20,
  expert: 0x40,
  reports: 0x100,
  readOnly: 0x200,
  apiEnabled: 0x4000,
} as const;
/** ENABLED, PASSWORD, TRAILING, EXPERT and REPORTS: the SDK's default set. */
export const USER_RIGHTS_DEFAULT = 0x163;

export type Side = 0 | 1;

export interface Order {
  readonly ticket: number;
  externalId: string;
  readonly login: number;
  dealer: number;
  readonly symbol: string;
  readonly digits: number;
  readonly currencyDigits: number;
  readonly contractSize: number;
  state: number;
  reason: number;
  timeSetupMsc: number;
  /** Unix seconds, server time; 0 = none. */
  timeExpiration: number;
  timeDoneMsc: number;
  modifyFlags: number;
  type: number;
  typeFill: number;
  typeTime: number;
  price: number;
  priceTrigger: number;
  /** Market price when the order left the book; live orders show the market of the moment. */
  priceCurrent: number;
  sl: number;
  tp: number;
  volumeInitial: number;
  volumeCurrent: number;
  expertId: number;
  positionId: number;
  positionById: number;
  comment: string;
  activationMode: number;
  activationTime: number;
  activationPrice: number;
  activationFlags: number;
}

export interface Deal {
  readonly ticket: number;
  externalId: string;
  readonly login: number;
  dealer: number;
  readonly order: number;
  action: number;
  entry: number;
  reason: number;
  readonly digits: number;
  readonly currencyDigits: number;
  readonly contractSize: number;
  timeMsc: number;
  readonly symbol: string;
  price: number;
  sl: number;
  tp: number;
  volume: number;
  volumeClosed: number;
  profit: number;
  /** Profit in the symbol's profit currency, in its smallest unit. */
  profitRaw: number;
  profitDigits: number;
  storage: number;
  commission: number;
  rateProfit: number;
  rateMargin: number;
  expertId: number;
  positionId: number;
  comment: string;
  pricePosition: number;
  marketBid: number;
  marketAsk: number;
  modifyFlags: number;
  /** Group and symbol as they were configured when it was made; undefined for balance operations. */
  readonly terms: { readonly group: Group; readonly symbol: SymbolSpec } | undefined;
}

export interface Position {
  readonly ticket: number;
  externalId: string;
  readonly login: number;
  dealer: number;
  readonly symbol: string;
  action: Side;
  readonly digits: number;
  readonly currencyDigits: number;
  readonly contractSize: number;
  reason: number;
  timeCreateMsc: number;
  timeUpdateMsc: number;
  modifyFlags: number;
  priceOpen: number;
  sl: number;
  tp: number;
  volume: number;
  storage: number;
  /** Server midnight up to which swaps are in `storage`. */
  rolledUntilMs: number;
  rateMargin: number;
  expertId: number;
  comment: string;
  activationMode: number;
  activationTime: number;
  activationPrice: number;
  activationFlags: number;
}

/** The text and number fields of a user record that the broker only keeps. Names as on the wire. */
export type UserFields = Record<string, string>;

export interface User {
  readonly login: number;
  group: string;
  rights: number;
  leverage: number;
  /** Smallest unit of the group's currency. */
  balance: number;
  credit: number;
  balancePrevDay: number;
  balancePrevMonth: number;
  equityPrevDay: number;
  equityPrevMonth: number;
  fields: UserFields;
  passwords: { main: string; investor: string; api: string };
  /** Stop-out state of the trading account. */
  stopOut: { activation: number; timeMs: number; level: number; equity: number; margin: number };
}

export function sideOf(orderType: number): Side {
  return orderType === ORDER_TYPE.buy ||
    orderType === ORDER_TYPE.buyLimit ||
    orderType === ORDER_TYPE.buyStop ||
    orderType === ORDER_TYPE.buyStopLimit
    ? 0
    : 1;
}
