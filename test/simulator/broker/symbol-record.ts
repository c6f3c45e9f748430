/** Wire records of symbols: every field, from the few that make one instrument different from another. */
import { decimal, EXT_PER_VOLUME } from './money.ts';
import { CALC_MODE, EXECUTION, SWAP_MODE, type WireRecord } from './symbols.ts';

/** Minutes of a server day in which a kind of market is open; Sunday first. */
type Week = readonly (readonly [number, number])[][];

const ALL_DAY: [number, number] = [0, 1440];
const always: Week = Array.from({ length: 7 }, () => [ALL_DAY]);
const weekdays = (sessions: [number, number][]): Week => [[], sessions, sessions, sessions, sessions, sessions, []];

/** `always`: forex and metals quote through the weekend, so that a demonstration works on a Saturday. `real`: as brokers do. */
export type TradingHours = 'always' | 'real';

const WEEKS = {
  forex: weekdays([[5, 1435]]),
  metals: weekdays([[60, 1435]]),
  index: weekdays([
    [65, 1375],
    [1380, 1435],
  ]),
  futures: weekdays([[180, 1435]]),
  crypto: always,
} as const satisfies Record<string, Week>;

export type Market = keyof typeof WEEKS;

/** Sessions as the wire has them. */
function weekRecord(market: Market, hours: TradingHours): { Open: string; Close: string }[][] {
  const week = hours === 'always' && (market === 'forex' || market === 'metals') ? always : WEEKS[market];
  return week.map((day) => day.map(([open, close]) => ({ Open: String(open), Close: String(close) })));
}

export interface Instrument {
  readonly symbol: string;
  readonly folder: string;
  readonly market: Market;
  readonly description: string;
  readonly base: string;
  readonly profit: string;
  readonly digits: number;
  readonly spread: number;
  readonly contract: number;
  readonly calcMode: number;
  readonly swap: readonly [string, string];
  readonly stops: number;
  /** Units of 1/10,000 lot. */
  readonly volume: readonly [min: number, max: number, step: number];
  readonly marginRate: string;
  readonly fill: number;
  readonly extra?: WireRecord;
}

const currencyDigits = (currency: string): string => (currency === 'JPY' ? '0' : '2');
const SIDES = ['Buy', 'Sell', 'BuyLimit', 'SellLimit', 'BuyStop', 'SellStop', 'BuyStopLimit', 'SellStopLimit'] as const;

/** Flat on the wire: `MarginInitialBuy` … `MarginInitialSellStopLimit`. */
function rates(name: string, value: string): WireRecord {
  return Object.fromEntries(SIDES.map((side, index) => [`${name}${side}`, index < 2 ? value : '0.00000000']));
}

const NESTED = {
  MarginInitial: 'MarginRateInitial',
  MarginMaintenance: 'MarginRateMaintenance',
} as const;

/** The same as the members of the official classes have it: the other form of the switch `marginRates`. */
export function withNestedRates(record: WireRecord): WireRecord {
  const rest: Record<string, WireRecord[string]> = { ...record };
  const nested: Record<string, WireRecord[string]> = {};
  for (const [flat, name] of Object.entries(NESTED)) {
    nested[name] = Object.fromEntries(SIDES.map((side) => [side, record[`${flat}${side}`] ?? 'default']));
    for (const side of SIDES) delete rest[`${flat}${side}`];
  }
  const { MarginLiquidity: liquidity = '', MarginCurrency: currency = '', ...others } = rest;
  return { ...others, ...nested, MarginRateLiquidity: liquidity, MarginRateCurrency: currency };
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

/** How often a day's swap is charged: the day of three has three, as `Swap3Day` says. */
const swapRates = (tripleDay: number): WireRecord =>
  Object.fromEntries(
    WEEKDAYS.map((day, i) => [`SwapRate${day}`, i === 0 || i === 6 ? '0.00' : i === tripleDay ? '3.00' : '1.00']),
  );

/** A volume limit in both units, the plain one first. */
function volumes(name: string, value: number): WireRecord {
  return { [name]: String(value), [`${name}Ext`]: String(value * EXT_PER_VOLUME) };
}

export function symbolRecord(item: Instrument, hours: TradingHours): WireRecord {
  const { digits, profit, base } = item;
  const [min, max, step] = item.volume;
  const size = `${item.contract}.00`;
  const sessions = weekRecord(item.market, hours);
  // Margin of a currency pair is counted in its base; of a contract for difference in the currency of its price.
  const marginCurrency = item.calcMode === CALC_MODE.forex ? base : profit;
  return {
    Symbol: item.symbol,
    Path: `${item.folder}\\${item.symbol}`,
    ISIN: '',
    Description: item.description,
    International: '',
    Category: '',
    Exchange: '',
    CFI: '',
    Sector: '0',
    Industry: '0',
    Country: '',
    Basis: '',
    Source: '',
    Page: '',
    CurrencyBase: base,
    CurrencyBaseDigits: currencyDigits(base),
    CurrencyProfit: profit,
    CurrencyProfitDigits: currencyDigits(profit),
    CurrencyMargin: marginCurrency,
    CurrencyMarginDigits: currencyDigits(marginCurrency),
    Color: '4278190080',
    ColorBackground: '4278190080',
    Digits: String(digits),
    Point: decimal(1, digits),
    Multiply: `${10 ** digits}.00000000`,
    TickFlags: '5',
    TickBookDepth: item.market === 'futures' ? '10' : '0',
    TickChartMode: '0',
    FilterSoft: '300',
    FilterSoftTicks: '10',
    FilterHard: '900',
    FilterHardTicks: '10',
    FilterDiscard: '3000',
    FilterSpreadMax: '0',
    FilterSpreadMin: '0',
    FilterGap: '0',
    FilterGapTicks: '0',
    SubscriptionsDelay: '0',
    TradeMode: '4',
    TradeFlags: '8',
    CalcMode: String(item.calcMode),
    ExecMode: String(EXECUTION.market),
    GTCMode: '0',
    FillFlags: String(item.fill),
    ExpirFlags: '15',
    OrderFlags: '127',
    Spread: String(item.spread),
    SpreadBalance: '0',
    SpreadDiff: '0',
    SpreadDiffBalance: '0',
    TickValue: decimal(item.contract * 10 ** (8 - digits), 8),
    TickSize: decimal(1, digits),
    ContractSize: size,
    StopsLevel: String(item.stops),
    FreezeLevel: item.stops > 0 ? String(Math.floor(item.stops / 2)) : '0',
    QuotesTimeout: '0',
    ...volumes('VolumeMin', min),
    ...volumes('VolumeMax', max),
    ...volumes('VolumeStep', step),
    ...volumes('VolumeLimit', 0),
    MarginFlags: item.market === 'index' ? '4' : '0',
    MarginInitial: '0.00',
    MarginMaintenance: '0.00',
    ...rates('MarginInitial', item.marginRate),
    ...rates('MarginMaintenance', item.marginRate),
    MarginLiquidity: '0.00000000',
    MarginHedged: item.market === 'crypto' ? '0.00' : size,
    MarginCurrency: '0.00000000',
    SwapMode: String(SWAP_MODE.points),
    SwapLong: item.swap[0],
    SwapShort: item.swap[1],
    Swap3Day: item.market === 'index' ? '5' : '3',
    SwapYearDays: '360',
    SwapFlags: '0',
    ...swapRates(item.market === 'index' ? 5 : 3),
    TimeStart: '0',
    TimeExpiration: '0',
    SessionsQuotes: sessions,
    SessionsTrades: sessions,
    REFlags: '0',
    RETimeout: '7',
    IECheckMode: '0',
    IETimeout: '7',
    IESlipProfit: '2',
    IESlipLosing: '2',
    ...volumes('IEVolumeMax', 0),
    IEFlags: '0',
    PriceSettle: decimal(0, digits),
    PriceLimitMax: decimal(0, digits),
    PriceLimitMin: decimal(0, digits),
    PriceStrike: decimal(0, digits),
    OptionMode: '0',
    FaceValue: '0.00',
    AccruedInterest: '0.00',
    SpliceType: '0',
    SpliceTimeType: '0',
    SpliceTimeDays: '0',
    ...item.extra,
  };
}
