import { z } from 'zod';
import { noParams, noQuery } from '../route.ts';
import { book, candle, quote, quoteStatistics, symbol, symbolHours, tick, TIMEFRAMES } from '../schemas/market.ts';
import { groupIn, listOf, soughtIn, symbolIn, symbolMaskIn, symbolsIn, wholeIn } from '../schemas/values.ts';
import { defineRead, page, window, windowed } from './read.ts';

const tag = 'Market';
const symbolParams = z.strictObject({ symbol: symbolIn });

export const listSymbols = defineRead({
  id: 'listSymbols',
  path: '/v1/symbols',
  tag,
  summary: 'Symbols of a mask over their names or paths, by name, or that hold a text',
  params: noParams,
  query: z.strictObject({
    mask: symbolMaskIn.default('*'),
    search: soughtIn.optional().meta({
      description:
        'Only symbols whose name, path, description, international name or ISIN holds this text, in any case.',
    }),
    ...page(),
  }),
  answer: listOf(symbol.schema),
  cacheable: 'symbols',
  example: { query: { mask: 'EUR*', limit: '5' } },
});

export const getSymbol = defineRead({
  id: 'getSymbol',
  path: '/v1/symbols/{symbol}',
  tag,
  summary: 'One symbol’s specification; with `group`, as that group overrides it',
  params: symbolParams,
  query: z.strictObject({ group: groupIn.optional() }),
  answer: symbol.schema,
  cacheable: 'symbols',
  example: { params: { symbol: 'EURUSD' } },
});

export const getSymbolHours = defineRead({
  id: 'getSymbolHours',
  path: '/v1/symbols/{symbol}/hours',
  tag,
  summary: 'When a symbol is traded and quoted, holidays left out, and whether it is open now',
  description: 'The week from now unless asked otherwise; at most 92 days. Hours that touch are one span.',
  params: symbolParams,
  query: windowed(window),
  answer: symbolHours,
  example: { params: { symbol: 'EURUSD' } },
});

export const getBook = defineRead({
  id: 'getBook',
  path: '/v1/symbols/{symbol}/book',
  tag,
  summary: 'Depth of market',
  params: symbolParams,
  query: noQuery,
  answer: book,
  example: { params: { symbol: 'UKOIL' } },
});

export const listTicks = defineRead({
  id: 'listTicks',
  conditional: true,
  path: '/v1/symbols/{symbol}/ticks',
  tag,
  summary: 'Ticks by time; the last hour unless asked otherwise',
  params: symbolParams,
  query: windowed({ ...window, ...page(1000, 10_000) }),
  answer: listOf(tick),
  example: { params: { symbol: 'EURUSD' }, query: { limit: '10' } },
});

export const listQuotes = defineRead({
  id: 'listQuotes',
  path: '/v1/quotes',
  tag,
  summary: 'Last quotes; with `group`, with that group’s spread',
  params: noParams,
  query: z.strictObject({ symbols: symbolsIn, group: groupIn.optional() }),
  answer: listOf(quote.schema),
  example: { query: { symbols: 'EURUSD,GBPUSD' } },
});

export const listQuoteStatistics = defineRead({
  id: 'listQuoteStatistics',
  path: '/v1/quotes/statistics',
  tag,
  summary: 'Highs, lows and volumes of the day',
  params: noParams,
  query: z.strictObject({ symbols: symbolsIn }),
  answer: listOf(quoteStatistics.schema),
  example: { query: { symbols: 'EURUSD,GBPUSD' } },
});

export const listCandles = defineRead({
  id: 'listCandles',
  conditional: true,
  path: '/v1/candles',
  tag,
  summary: 'Candles by time of opening; made of the broker’s minutes, in the broker’s days and weeks',
  description:
    'Without `from`, the candles of the last day (M1–M30), month (H1–H12) or half year (D1–MN1) before `to`. A frame without a single minute has no candle.',
  params: noParams,
  query: windowed({
    symbol: symbolIn,
    timeframe: z.enum(TIMEFRAMES, `expected one of ${TIMEFRAMES.join(', ')}`),
    ...window,
    last: wholeIn(5000)
      .optional()
      .meta({ description: 'The last so many candles that begin before `to`, or now; in place of `from` and pages.' }),
    ...page(1000, 5000),
  }).refine(({ last, from, cursor }) => last === undefined || (from === undefined && cursor === undefined), {
    error: 'expected neither "from" nor "cursor" beside "last"',
    path: ['last'],
  }),
  answer: listOf(candle),
  example: { query: { symbol: 'EURUSD', timeframe: 'H1', limit: '5' } },
});

export const marketRoutes = [
  listSymbols,
  getSymbol,
  getSymbolHours,
  getBook,
  listTicks,
  listQuotes,
  listQuoteStatistics,
  listCandles,
] as const;
