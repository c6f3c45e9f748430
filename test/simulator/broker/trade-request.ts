/** A request to trade, as the dealer's desk receives it: numbers in the books' units, and the fields as they came. */
import { EXT_PER_VOLUME, parseDecimal } from './money.ts';
import type { SymbolSpec } from './symbols.ts';

/** Request.EnTradeActions: what a dealer may ask for. */
export const ACTION = {
  execute: 200,
  pending: 201,
  modifyPosition: 202,
  modifyOrder: 203,
  remove: 204,
  activate: 205,
  balance: 206,
  stopLimit: 207,
  closeBy: 208,
} as const;

export const REQUEST_FLAG = { close: 0x1, market: 0x2, expert: 0x100, signal: 0x200, skipMarginCheck: 0x400 } as const;

export interface TradeRequest {
  readonly action: number;
  readonly login: number;
  readonly symbol: string;
  readonly type: number;
  readonly typeFill: number;
  readonly typeTime: number;
  /** Unix seconds, server time. */
  readonly timeExpiration: number;
  readonly flags: number;
  readonly volume: number;
  readonly order: number;
  readonly position: number;
  readonly positionBy: number;
  /** Undefined where the request names none. */
  readonly digits: number | undefined;
  readonly comment: string;
  readonly dealer: number;
  /** Prices as text: their scale is the symbol's. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Longest comment of an order, a deal or a position, in UTF-16 units; a terminator makes it 32. */
export const COMMENT_CHARACTERS = 31;

const FIELDS = [
  'Action',
  'Login',
  'Type',
  'TypeFill',
  'TypeTime',
  'TimeExpiration',
  'Flags',
  'Volume',
  'VolumeExt',
  'Order',
  'Position',
  'PositionBy',
] as const;

/** Reads a request from the flat fields of its body; undefined where a number cannot be read or no dealer action is meant. */
export function parseTradeRequest(fields: Readonly<Record<string, string>>, dealer: number): TradeRequest | undefined {
  const numbers: Partial<Record<(typeof FIELDS)[number], number>> = {};
  for (const name of FIELDS) {
    const text = fields[name];
    if (text === undefined || text === '') continue;
    const value = /^\d{1,16}$/u.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) return undefined;
    numbers[name] = value;
  }
  const { Action: action = 0, Login: login = 0 } = numbers;
  if (action < ACTION.execute || action > ACTION.closeBy || login === 0) return undefined;
  const ext = numbers.VolumeExt ?? 0;
  const digits = fields['Digits'];
  return {
    action,
    login,
    symbol: fields['Symbol'] ?? '',
    type: numbers.Type ?? 0,
    typeFill: numbers.TypeFill ?? 0,
    typeTime: numbers.TypeTime ?? 0,
    timeExpiration: numbers.TimeExpiration ?? 0,
    flags: numbers.Flags ?? 0,
    volume: ext === 0 ? (numbers.Volume ?? 0) * EXT_PER_VOLUME : ext,
    order: numbers.Order ?? 0,
    position: numbers.Position ?? 0,
    positionBy: numbers.PositionBy ?? 0,
    digits: digits === undefined || digits === '' ? undefined : Number(digits),
    comment: (fields['Comment'] ?? '').slice(0, COMMENT_CHARACTERS),
    dealer,
    fields,
  };
}

/** A price of the request in points; 0 where it is absent, undefined where it is no price. */
export function priceOf(request: TradeRequest, name: string, symbol: SymbolSpec): number | undefined {
  const text = request.fields[name];
  if (text === undefined || text === '') return 0;
  const price = parseDecimal(text, symbol.digits);
  return price === undefined || price < 0 ? undefined : price;
}
