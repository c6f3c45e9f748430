/** M1 bars and the book of prices. */
import type { World } from '../broker/world.ts';
import { MINUTE_MS, dayStart } from '../broker/calendar.ts';
import { daysBetween, type Bar } from '../broker/bars.ts';
import { decimal } from '../broker/money.ts';
import { done, Json, refused, type Command, type CommandReply, type CommandRequest } from '../command.ts';
import { RETCODE } from './scope.ts';
import { historyRequest } from './ticks.ts';

/** Text of one cell of a bar. */
function cell(bar: Bar, letter: string, digits: number): string {
  switch (letter) {
    case 'd':
      return String(Math.floor(bar.timeMs / 1000));
    case 'o':
      return decimal(bar.open, digits);
    case 'h':
      return decimal(bar.high, digits);
    case 'l':
      return decimal(bar.low, digits);
    case 'c':
      return decimal(bar.close, digits);
    case 't':
      return String(bar.tickVolume);
    case 's':
      return String(bar.spread);
    default:
      return '0';
  }
}

/** How often each world's symbols were asked for while the switch `chartNotReady` was on. */
const askedFor = new WeakMap<World, Map<string, number>>();

function notReady(request: CommandRequest, symbol: string): boolean {
  const times = request.switches.chartNotReady;
  if (times === 0) return false;
  const { world } = request.broker;
  const counts = askedFor.get(world) ?? new Map<string, number>();
  askedFor.set(world, counts);
  const count = counts.get(symbol) ?? 0;
  counts.set(symbol, count + 1);
  return count < times;
}

function chart(request: CommandRequest): CommandReply {
  const wanted = historyRequest(request, 'dohlctvs');
  if ('retcode' in wanted) return wanted;
  if (notReady(request, wanted.quote.symbol.name)) return { retcode: 1, answer: [] };
  const { quote, fromMs, toMs, data } = wanted;
  const { past } = request.broker.world;
  const { digits } = quote.symbol;
  const rows: string[] = [];
  let bytes = 2;
  const nowMinute = Math.floor(request.broker.time.serverMs() / MINUTE_MS) * MINUTE_MS;
  const [firstLive] = quote.bars.keys();
  const live = [...quote.bars.values()].sort((a, b) => a.timeMs - b.timeMs);
  // Bars of this run replace those of the path from the first whole minute of the feed on.
  const liveFromMs = (firstLive ?? nowMinute) + (quote.bars.size > 1 ? MINUTE_MS : 0);
  const take = (bar: Bar): boolean => {
    if (bar.timeMs < fromMs || bar.timeMs >= toMs) return true;
    const row = `[${data.map((letter) => cell(bar, letter, digits)).join(',')}]`;
    bytes += row.length + 1;
    if (bytes > request.switches.historyBytes) return false;
    rows.push(row);
    return true;
  };
  const answer = (retcode: number): CommandReply => ({ retcode, answer: new Json(`[${rows.join(',')}]`) });
  for (const day of daysBetween(dayStart(fromMs), Math.min(toMs, liveFromMs))) {
    for (const bar of past.day(quote.symbol, day)) {
      if (bar.timeMs >= liveFromMs) break;
      if (!take(bar)) return answer(RETCODE.partial);
    }
  }
  for (const bar of live) if (bar.timeMs >= liveFromMs && !take(bar)) return answer(RETCODE.partial);
  return answer(0);
}

/** Ten levels around the market; volumes in whole units. */
const LEVELS = 10;
const BOOK_TYPE = { sell: 1, buy: 2 } as const;

function book(request: CommandRequest): CommandReply {
  const name = request.parameters.text('symbol');
  if (name === undefined || name === '') return refused(RETCODE.params);
  const names = name.split(',');
  const quotes = names.map((one) => request.broker.world.market.quote(one));
  if (quotes.includes(undefined)) return refused(RETCODE.notFound);
  const books = quotes.flatMap((quote) => {
    if (quote === undefined) return [];
    const { digits } = quote.symbol;
    const item = (type: number, price: number, level: number): string =>
      `{"Type":${type},"Price":${decimal(price, digits)},"Volume":${1000 * (1 + ((price + level) % 7))}}`;
    const sells = Array.from({ length: LEVELS }, (_, level) =>
      item(BOOK_TYPE.sell, quote.ask + LEVELS - 1 - level, level),
    );
    const buys = Array.from({ length: LEVELS }, (_, level) =>
      item(BOOK_TYPE.buy, Math.max(1, quote.bid - level), level),
    );
    return [
      `{"Symbol":${JSON.stringify(quote.symbol.name)},"Datetime":${quote.timeMsc},"Flags":1,"Items":[${[...sells, ...buys].join(',')}]}`,
    ];
  });
  return done(new Json(`[${books.join(',')}]`));
}

export const chartCommands: readonly Command[] = [
  // Without the rights a chart is 13, not 8.
  { path: 'chart/get', rights: ['RIGHT_CFG_SYMBOLS', 'RIGHT_CHARTS'], refusal: RETCODE.notFound, run: chart },
  { path: 'book/get', rights: [], run: book },
];
