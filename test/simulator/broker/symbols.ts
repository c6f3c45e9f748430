/**
 * Symbols: the wire record is the source, the numbers the engine calculates with are read from it, so that a symbol
 * added over the API trades like one of the catalogue.
 */
import { CONTRACT_DIGITS, EXT_PER_VOLUME, parseDecimal, RATE_DIGITS } from './money.ts';

export const CALC_MODE = { forex: 0, futures: 1, cfd: 2, cfdIndex: 3, cfdLeverage: 4, forexNoLeverage: 5 } as const;
export const TRADE_MODE = { disabled: 0, longOnly: 1, shortOnly: 2, closeOnly: 3, full: 4 } as const;
export const FILL_FLAG = { fok: 1, ioc: 2 } as const;
export const ORDER_FLAG = { market: 1, limit: 2, stop: 4, stopLimit: 8, sl: 16, tp: 32, closeBy: 64 } as const;
export const TIME_FLAG = { gtc: 1, day: 2, specified: 4, specifiedDay: 8 } as const;
export const SWAP_MODE = { disabled: 0, points: 1, groupCurrency: 4, interestCurrent: 5, interestOpen: 6 } as const;
export const MARGIN_FLAG_LARGE_LEG = 0x4;
export const EXECUTION = { request: 0, instant: 1, market: 2, exchange: 3 } as const;

export type WireValue = string | number | boolean | null | readonly WireValue[] | { readonly [key: string]: WireValue };
export type WireRecord = Record<string, WireValue>;

export interface Session {
  readonly openMinute: number;
  readonly closeMinute: number;
}

export interface SymbolSpec {
  readonly name: string;
  readonly path: string;
  readonly baseCurrency: string;
  readonly profitCurrency: string;
  readonly profitDigits: number;
  readonly marginCurrency: string;
  readonly digits: number;
  readonly contractSize: number;
  readonly calcMode: number;
  readonly execMode: number;
  readonly tradeMode: number;
  readonly gtcMode: number;
  readonly fillFlags: number;
  readonly expirFlags: number;
  readonly orderFlags: number;
  /** Normal spread and widest step of it, points. */
  readonly spread: number;
  readonly stopsLevel: number;
  readonly freezeLevel: number;
  readonly volumeMin: number;
  readonly volumeMax: number;
  readonly volumeStep: number;
  readonly volumeLimit: number;
  readonly marginFlags: number;
  /** Margin currency, two decimals; 0 = by formula. */
  readonly marginInitial: number;
  /** Contract size for hedged volume, two decimals. */
  readonly marginHedged: number;
  readonly marginRateBuy: number;
  readonly marginRateSell: number;
  readonly swapMode: number;
  /** Points with two decimals, or per cent with two decimals. */
  readonly swapLong: number;
  readonly swapShort: number;
  readonly swap3Day: number;
  /** Profit currency per tick, 1e-8; used by futures and index contracts. */
  readonly tickValue: number;
  /** Points. */
  readonly tickSize: number;
  readonly sessionsTrades: readonly (readonly Session[])[];
  readonly sessionsQuotes: readonly (readonly Session[])[];
  readonly record: WireRecord;
  /** The record as JSON text, for answers. */
  readonly json: string;
}

export function textOf(record: WireRecord, key: string): string {
  const value = record[key];
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

export function integerOf(record: WireRecord, key: string, fallback = 0): number {
  const value = Number(textOf(record, key) || fallback);
  return Number.isSafeInteger(value) ? value : fallback;
}

function sessionsOf(value: WireValue | undefined): Session[][] {
  const days = Array.isArray(value) ? (value as readonly WireValue[]) : [];
  return Array.from({ length: 7 }, (_, day) => {
    const sessions = days[day];
    if (!Array.isArray(sessions)) return [];
    return (sessions as readonly WireRecord[]).map((session) => ({
      openMinute: integerOf(session, 'Open'),
      closeMinute: integerOf(session, 'Close'),
    }));
  });
}

/** The margin rate of an order type, written flat or in either nested form; the rate of 1 where there is none. */
function rateOf(record: WireRecord, side: 'Buy' | 'Sell'): number {
  const nested = record['MarginRateInitial'];
  const isObject = typeof nested === 'object' && nested !== null && !Array.isArray(nested);
  const text = textOf(record, `MarginInitial${side}`) || (isObject ? textOf(nested as WireRecord, side) : '');
  return parseDecimal(text || '1', RATE_DIGITS) ?? 100_000_000;
}

/** Volume of a record in 1e-8 lots: the `Ext` field, or the plain one times 10,000. */
function volumeOf(record: WireRecord, key: string): number {
  const ext = integerOf(record, `${key}Ext`);
  return ext === 0 ? integerOf(record, key) * EXT_PER_VOLUME : ext;
}

/** Reads the engine's view of a symbol from its wire record. */
export function symbolFromRecord(record: WireRecord): SymbolSpec {
  const digits = integerOf(record, 'Digits', 5);
  const contract = (key: string): number => parseDecimal(textOf(record, key) || '0', CONTRACT_DIGITS) ?? 0;
  return {
    name: textOf(record, 'Symbol'),
    path: textOf(record, 'Path'),
    baseCurrency: textOf(record, 'CurrencyBase'),
    profitCurrency: textOf(record, 'CurrencyProfit'),
    profitDigits: integerOf(record, 'CurrencyProfitDigits', 2),
    marginCurrency: textOf(record, 'CurrencyMargin'),
    digits,
    contractSize: contract('ContractSize'),
    calcMode: integerOf(record, 'CalcMode'),
    execMode: integerOf(record, 'ExecMode', 2),
    tradeMode: integerOf(record, 'TradeMode', 4),
    gtcMode: integerOf(record, 'GTCMode'),
    fillFlags: integerOf(record, 'FillFlags'),
    expirFlags: integerOf(record, 'ExpirFlags'),
    orderFlags: integerOf(record, 'OrderFlags'),
    spread: integerOf(record, 'Spread'),
    stopsLevel: integerOf(record, 'StopsLevel'),
    freezeLevel: integerOf(record, 'FreezeLevel'),
    volumeMin: volumeOf(record, 'VolumeMin'),
    volumeMax: volumeOf(record, 'VolumeMax'),
    volumeStep: volumeOf(record, 'VolumeStep'),
    volumeLimit: volumeOf(record, 'VolumeLimit'),
    marginFlags: integerOf(record, 'MarginFlags'),
    marginInitial: contract('MarginInitial'),
    marginHedged: contract('MarginHedged'),
    marginRateBuy: rateOf(record, 'Buy'),
    marginRateSell: rateOf(record, 'Sell'),
    swapMode: integerOf(record, 'SwapMode'),
    swapLong: parseDecimal(textOf(record, 'SwapLong') || '0', 2) ?? 0,
    swapShort: parseDecimal(textOf(record, 'SwapShort') || '0', 2) ?? 0,
    swap3Day: integerOf(record, 'Swap3Day', 3),
    tickValue: parseDecimal(textOf(record, 'TickValue') || '0', RATE_DIGITS) ?? 0,
    tickSize: parseDecimal(textOf(record, 'TickSize') || '0', digits) ?? 0,
    sessionsTrades: sessionsOf(record['SessionsTrades']),
    sessionsQuotes: sessionsOf(record['SessionsQuotes']),
    record,
    json: JSON.stringify(record),
  };
}

/** Whether a moment (server time as weekday and minute) lies in one of the sessions. */
export function inSessions(sessions: SymbolSpec['sessionsTrades'], day: number, minute: number): boolean {
  return (sessions[day] ?? []).some(({ openMinute, closeMinute }) => minute >= openMinute && minute < closeMinute);
}
