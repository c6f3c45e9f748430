import { z } from 'zod';
import {
  BOOK_SIDE,
  CALC_MODE,
  CHART_MODE,
  EXECUTION_MODE,
  EXPIRATION_FLAGS,
  FILLING_FLAGS,
  GTC_MODE,
  ORDER_FLAGS,
  PRICE_DIRECTION,
  SWAP_DAY,
  SWAP_MODE,
  TRADE_MODE,
} from './enums.ts';
import type { ObjectOf } from './object.ts';
import {
  amount,
  defineObject,
  flagNames,
  instant,
  integer,
  lots,
  name,
  named,
  nameOnly,
  rates,
  raw,
  text,
} from './object.ts';
import { decimal, instantMsOut, instantOut } from './values.ts';

/** Symbols, quotes, candles, ticks, depth (mt5-webapi §3.2, §3.5). */

export const symbol = defineObject('Symbol', {
  symbol: name('Symbol'),
  path: text('Path'),
  description: text('Description'),
  isin: text('ISIN'),
  international: text('International'),
  category: text('Category'),
  exchange: text('Exchange'),
  country: text('Country'),
  basis: text('Basis'),
  currencyBase: text('CurrencyBase'),
  currencyProfit: text('CurrencyProfit'),
  currencyMargin: text('CurrencyMargin'),
  digits: integer('Digits'),
  point: amount('Point'),
  contractSize: amount('ContractSize'),
  tickValue: amount('TickValue'),
  tickSize: amount('TickSize'),
  ...named('tradeMode', TRADE_MODE, 'TradeMode'),
  ...named('execution', EXECUTION_MODE, 'ExecMode'),
  ...named('calculation', CALC_MODE, 'CalcMode'),
  ...named('gtcMode', GTC_MODE, 'GTCMode'),
  ...flagNames('fillings', FILLING_FLAGS, 'FillFlags'),
  ...flagNames('expirations', EXPIRATION_FLAGS, 'ExpirFlags'),
  ...flagNames('orders', ORDER_FLAGS, 'OrderFlags'),
  volumeMin: lots('VolumeMin'),
  volumeMax: lots('VolumeMax'),
  volumeStep: lots('VolumeStep'),
  volumeLimit: lots('VolumeLimit'),
  spread: integer('Spread'),
  spreadBalance: integer('SpreadBalance'),
  spreadDifference: integer('SpreadDiff'),
  spreadDifferenceBalance: integer('SpreadDiffBalance'),
  stopsLevel: integer('StopsLevel'),
  freezeLevel: integer('FreezeLevel'),
  quotesTimeout: integer('QuotesTimeout'),
  bookDepth: integer('TickBookDepth'),
  ...named('chartMode', CHART_MODE, 'TickChartMode'),
  marginInitial: amount('MarginInitial'),
  marginMaintenance: amount('MarginMaintenance'),
  marginHedged: amount('MarginHedged'),
  marginRateInitial: rates('MarginInitial', 'MarginRateInitial'),
  marginRateMaintenance: rates('MarginMaintenance', 'MarginRateMaintenance'),
  marginRateLiquidity: amount('MarginLiquidity', 'MarginRateLiquidity'),
  marginRateCurrency: amount('MarginCurrency', 'MarginRateCurrency'),
  marginFlags: integer('MarginFlags'),
  ...named('swapMode', SWAP_MODE, 'SwapMode'),
  swapLong: amount('SwapLong'),
  swapShort: amount('SwapShort'),
  ...named('swapTripleDay', SWAP_DAY, 'Swap3Day'),
  swapYearDays: integer('SwapYearDays', 'SwapYearDay'),
  swapFlags: integer('SwapFlags'),
  swapRateSunday: amount('SwapRateSunday'),
  swapRateMonday: amount('SwapRateMonday'),
  swapRateTuesday: amount('SwapRateTuesday'),
  swapRateWednesday: amount('SwapRateWednesday'),
  swapRateThursday: amount('SwapRateThursday'),
  swapRateFriday: amount('SwapRateFriday'),
  swapRateSaturday: amount('SwapRateSaturday'),
  ...instant('start', 'TimeStart'),
  ...instant('expires', 'TimeExpiration'),
  quoteHours: raw('SessionsQuotes'),
  tradingHours: raw('SessionsTrades'),
  optionsMode: integer('OptionMode', 'OptionsMode'),
  priceStrike: amount('PriceStrike'),
  priceSettle: amount('PriceSettle'),
  priceLimitMin: amount('PriceLimitMin'),
  priceLimitMax: amount('PriceLimitMax'),
  faceValue: amount('FaceValue'),
  accruedInterest: amount('AccruedInterest'),
});
export type SymbolSpecification = ObjectOf<typeof symbol>;

const openSpan = z.object({
  openAt: instantOut,
  openAtMs: instantMsOut,
  closeAt: instantOut.meta({ description: 'The first moment after it. RFC 3339, UTC.' }),
  closeAtMs: instantMsOut,
});
const hoursOf = (of: string) =>
  z
    .object({
      open: z
        .boolean()
        .nullable()
        .meta({ description: `Whether it is ${of} now by its hours; \`null\` = none are told.` }),
      changesAt: instantOut.nullable().meta({ description: 'When `open` turns next; `null` = not within a week.' }),
      changesAtMs: instantMsOut.nullable(),
      spans: z.array(openSpan),
    })
    .meta({ description: `When it is ${of}.` });

export const symbolHours = z
  .object({
    symbol: z.string(),
    trading: hoursOf('traded'),
    quotes: hoursOf('quoted'),
    holidays: z.array(
      z.object({
        date: z.string().meta({ description: 'A day of the server’s, like `2026-12-25`.' }),
        description: z.string().nullable(),
        open: openSpan.nullable().meta({ description: 'What remains of its sessions; `null` = closed all day.' }),
      }),
    ),
    from: instantOut,
    fromMs: instantMsOut,
    to: instantOut,
    toMs: instantMsOut,
  })
  .meta({ id: 'SymbolHours' });
export type SymbolHours = z.output<typeof symbolHours>;

export const quote = defineObject('Quote', {
  symbol: name('Symbol'),
  digits: integer('Digits'),
  ...instant('quoted', 'DatetimeMsc', 'Datetime'),
  bid: amount('Bid'),
  ask: amount('Ask'),
  last: amount('Last'),
  volume: amount('Volume'),
  volumeReal: amount('VolumeReal'),
});
export type Quote = ObjectOf<typeof quote>;

/** A quote with the figures of its day. */
export const quoteStatistics = defineObject('QuoteStatistics', {
  symbol: name('Symbol'),
  digits: integer('Digits'),
  ...instant('quoted', 'DatetimeMsc', 'Datetime'),
  bid: amount('Bid'),
  bidLow: amount('BidLow'),
  bidHigh: amount('BidHigh'),
  ...named('bidDirection', PRICE_DIRECTION, 'BidDir'),
  ask: amount('Ask'),
  askLow: amount('AskLow'),
  askHigh: amount('AskHigh'),
  ...named('askDirection', PRICE_DIRECTION, 'AskDir'),
  last: amount('Last'),
  lastLow: amount('LastLow'),
  lastHigh: amount('LastHigh'),
  ...named('lastDirection', PRICE_DIRECTION, 'LastDir'),
  volume: amount('Volume'),
  volumeReal: amount('VolumeReal'),
  tradeDeals: amount('TradeDeals'),
  tradeVolume: amount('TradeVolume'),
  tradeVolumeReal: amount('TradeVolumeReal'),
  tradeTurnover: amount('TradeTurnover'),
  tradeInterest: amount('TradeInterest'),
  tradeBuyOrders: amount('TradeBuyOrders'),
  tradeBuyVolume: amount('TradeBuyVolume'),
  tradeSellOrders: amount('TradeSellOrders'),
  tradeSellVolume: amount('TradeSellVolume'),
  priceOpen: amount('PriceOpen'),
  priceClose: amount('PriceClose'),
  priceAverage: amount('PriceAw'),
  priceChange: amount('PriceChange'),
  priceVolatility: amount('PriceVolatility'),
  priceTheoretical: amount('PriceTheoretical'),
});
export type QuoteStatistics = ObjectOf<typeof quoteStatistics>;

export const tick = z
  .object({
    quotedAt: instantOut,
    quotedAtMs: instantMsOut,
    bid: decimal.nullable(),
    ask: decimal.nullable(),
    last: decimal.nullable(),
    volume: decimal.nullable(),
  })
  .meta({ id: 'Tick' });
export type Tick = z.output<typeof tick>;

/** As MT5 names them. */
export const TIMEFRAMES = [
  'M1',
  'M2',
  'M3',
  'M4',
  'M5',
  'M6',
  'M10',
  'M12',
  'M15',
  'M20',
  'M30',
  'H1',
  'H2',
  'H3',
  'H4',
  'H6',
  'H8',
  'H12',
  'D1',
  'W1',
  'MN1',
] as const;

export const candle = z
  .object({
    openAt: instantOut,
    openAtMs: instantMsOut,
    open: decimal,
    high: decimal,
    low: decimal,
    close: decimal,
    tickVolume: z.int(),
    volume: decimal.meta({ format: 'decimal', description: 'Traded volume as the broker counts it.' }),
    spread: z.int().meta({ description: 'Points; the largest of its minutes.' }),
    complete: z.boolean().meta({ description: '`false` while the frame is still open.' }),
  })
  .meta({
    id: 'Candle',
    description: 'Frames begin where the broker’s clock begins them: days at its midnight, weeks on its Sunday.',
  });
export type Candle = z.output<typeof candle>;

export const bookItem = defineObject('BookItem', {
  ...nameOnly('side', BOOK_SIDE, 'Type'),
  typeCode: integer('Type'),
  price: amount('Price'),
  volume: lots('Volume'),
});

export const book = z
  .object({
    symbol: z.string(),
    quotedAt: instantOut.nullable(),
    quotedAtMs: instantMsOut.nullable(),
    items: z.array(bookItem.schema),
  })
  .meta({ id: 'Book', description: 'Depth of market; empty where the broker keeps none for the symbol.' });
export type Book = z.output<typeof book>;
