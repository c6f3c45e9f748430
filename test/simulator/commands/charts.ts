/** M1 bars and the book of prices. */
import type { World } from '../broker/world.ts';
import type { Quote } from '../broker/feed.ts';
import { DAY_MS, MINUTE_MS, dayStart } from '../broker/calendar.ts';
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
  const { digits } = quote.symbol;
  const rows: string[] = [];
  let bytes = 2;
  const answer = (retcode: number): CommandReply => ({ retcode, answer: new Json(`[${rows.join(',')}]`) });
  for (const day of daysBetween(dayStart(fromMs), toMs)) {
    for (const bar of barsOfDay(request, quote, day)) {
      if (bar.timeMs < fromMs || bar.timeMs >= toMs) continue;
      const row = `[${data.map((letter) => cell(bar, letter, digits)).join(',')}]`;
      bytes += row.length + 1;
      if (bytes > request.switches.historyBytes) return answer(RETCODE.partial);
      rows.push(row);
    }
  }
  return answer(0);
}

/** The bars of a day up to now: of the feed where it was, of the path elsewhere, none while the feed was silent. */
function barsOfDay(request: CommandRequest, quote: Quote, day: number): readonly Bar[] {
  const { past, market } = request.broker.world;
  const nowMinute = Math.floor(request.broker.time.serverMs() / MINUTE_MS) * MINUTE_MS;
  const bars = past.day(quote.symbol, day);
  const [firstLive = Number.POSITIVE_INFINITY] = quote.bars.keys();
  if (day + DAY_MS <= firstLive && day + DAY_MS <= nowMinute) return bars;
  const silent = market.silentMinutes;
  const live = [...quote.bars.values()].filter(({ timeMs }) => timeMs >= day && timeMs < day + DAY_MS);
  // The feed began in the middle of its first minute: the path knows it whole.
  const whole = live.filter(({ timeMs }) => timeMs !== firstLive || timeMs === nowMinute);
  const taken = new Set(whole.map(({ timeMs }) => timeMs));
  const rest = bars.filter(({ timeMs }) => timeMs < nowMinute && !taken.has(timeMs) && !silent.has(timeMs));
  return [...rest, ...whole].sort((a, b) => a.timeMs - b.timeMs);
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
  const isFull = request.switches.bookUntilSubscribed === 'full';
  const subscribed = request.broker.bookSubscriptions.get(request.connectionId);
  const books = quotes.flatMap((quote) => {
    if (quote === undefined) return [];
    if (!isFull && !subscribed?.has(quote.symbol.name))
      return [`{"Symbol":${JSON.stringify(quote.symbol.name)},"Datetime":${quote.timeMsc},"Flags":1,"Items":[]}`];
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

function subscribe(request: CommandRequest, isWanted: boolean): CommandReply {
  const names = request.parameters.text('symbol')?.split(',') ?? [];
  if (names.length === 0 || names.includes('')) return refused(RETCODE.params);
  const { broker, connectionId } = request;
  if (names.some((name) => broker.world.market.quote(name) === undefined)) return refused(RETCODE.notFound);
  const subscribed = broker.bookSubscriptions.get(connectionId) ?? new Set();
  broker.bookSubscriptions.set(connectionId, subscribed);
  for (const name of names)
    if (isWanted) subscribed.add(name);
    else subscribed.delete(name);
  return done();
}

export const chartCommands: readonly Command[] = [
  // Without the rights a chart is 13, not 8.
  { path: 'chart/get', rights: ['RIGHT_CFG_SYMBOLS', 'RIGHT_CHARTS'], refusal: RETCODE.notFound, run: chart },
  { path: 'book/get', rights: [], run: book },
  { path: 'book/subscribe', rights: [], run: (request) => subscribe(request, true) },
  { path: 'book/unsubscribe', rights: [], run: (request) => subscribe(request, false) },
];
