/** Quotes: last ticks, statistics, tick history. */
import type { Quote } from '../broker/feed.ts';
import { spreadDifference, type Group } from '../broker/groups.ts';
import { compileMask } from '../broker/masks.ts';
import { decimal } from '../broker/money.ts';
import { Json, refused, type Command, type CommandReply, type CommandRequest } from '../command.ts';
import { RETCODE, seesGroup } from './scope.ts';

/** Longest list of symbols in characters. */
const SYMBOL_LIST_CHARACTERS = 4096;
/** The last tick of each symbol as JSON, made again when its number has changed. */
const tickTexts = new WeakMap<Quote, { transId: number; text: string }>();

function tickText(quote: Quote): string {
  const known = tickTexts.get(quote);
  if (known !== undefined && known.transId === quote.transId) return known.text;
  const text = tickJson(quote, 0);
  tickTexts.set(quote, { transId: quote.transId, text });
  return text;
}

function tickJson(quote: Quote, difference: number): string {
  const { name, digits } = quote.symbol;
  const zero = decimal(0, digits);
  return `{"Symbol":${JSON.stringify(name)},"Digits":"${digits}","Datetime":"${Math.floor(quote.timeMsc / 1000)}","DatetimeMsc":"${quote.timeMsc}","Bid":"${decimal(quote.bid, digits)}","Ask":"${decimal(quote.ask + difference, digits)}","Last":"${zero}","Volume":"0","VolumeReal":"0.00"}`;
}

interface Asked {
  readonly quotes: readonly Quote[];
  readonly transId: number;
}

/** Quotes that the symbol list asks for and that changed since `trans_id`. */
function asked(request: CommandRequest): Asked | CommandReply {
  const symbols = request.parameters.text('symbol');
  const since = request.parameters.integer('trans_id') ?? 0;
  if (symbols === undefined || symbols === '' || symbols.length > SYMBOL_LIST_CHARACTERS || Number.isNaN(since)) {
    return refused(RETCODE.params);
  }
  const { market } = request.broker.world;
  let found: readonly Quote[];
  if (/[*!]/u.test(symbols)) {
    const matches = compileMask(symbols);
    found = market.all.filter(({ symbol }) => matches(symbol.name, symbol.path));
  } else {
    found = symbols.split(',').flatMap((name) => market.quote(name.trim()) ?? []);
  }
  if (found.length === 0) return refused(RETCODE.notFound);
  return { quotes: found.filter(({ transId }) => transId > since), transId: market.transId };
}

const isAsked = (value: Asked | CommandReply): value is Asked => 'quotes' in value;

function last(request: CommandRequest): CommandReply {
  const found = asked(request);
  if (!isAsked(found)) return found;
  return {
    retcode: 0,
    top: { trans_id: found.transId },
    answer: new Json(`[${found.quotes.map(tickText).join(',')}]`),
  };
}

function lastGroup(request: CommandRequest): CommandReply {
  const name = request.parameters.text('group');
  if (name === undefined || name === '') return refused(RETCODE.params);
  const group: Group | undefined = request.broker.world.books.groups.get(name);
  if (group === undefined || !seesGroup(request.manager, name)) return refused(RETCODE.permissions);
  const found = asked(request);
  if (!isAsked(found)) return found;
  const texts = found.quotes.map((quote) => tickJson(quote, spreadDifference(group, quote.symbol)));
  return { retcode: 0, top: { trans_id: found.transId }, answer: new Json(`[${texts.join(',')}]`) };
}

function stat(request: CommandRequest): CommandReply {
  const found = asked(request);
  if (!isAsked(found)) return found;
  return { retcode: 0, top: { trans_id: found.transId }, answer: found.quotes.map(statOf) };
}

function statOf(quote: Quote): object {
  const { digits } = quote.symbol;
  const price = (value: number): string => decimal(value, digits);
  const zero = price(0);
  const noVolume = {
    Volume: 0,
    VolumeReal: '0.00',
    VolumeLow: 0,
    VolumeLowReal: '0.00',
    VolumeHigh: 0,
    VolumeHighReal: '0.00',
    VolumeDir: 0,
  };
  // Per cent of the day's opening price, two decimals.
  const change = quote.priceOpen === 0 ? 0 : Math.round(((quote.bid - quote.priceOpen) * 10_000) / quote.priceOpen);
  return {
    Symbol: quote.symbol.name,
    Digits: digits,
    Datetime: Math.floor(quote.timeMsc / 1000),
    DatetimeMsc: quote.timeMsc,
    Bid: price(quote.bid),
    BidLow: price(quote.bidLow),
    BidHigh: price(quote.bidHigh),
    BidDir: quote.bidDirection,
    Ask: price(quote.ask),
    AskLow: price(quote.askLow),
    AskHigh: price(quote.askHigh),
    AskDir: quote.askDirection,
    Last: zero,
    LastLow: zero,
    LastHigh: zero,
    LastDir: 0,
    ...noVolume,
    TradeDeals: 0,
    TradeVolume: 0,
    TradeVolumeReal: '0.00',
    TradeTurnover: '0.00',
    TradeInterest: 0,
    TradeBuyOrders: 0,
    TradeBuyVolume: 0,
    TradeBuyVolumeReal: '0.00',
    TradeSellOrders: 0,
    TradeSellVolume: 0,
    TradeSellVolumeReal: '0.00',
    PriceOpen: price(quote.priceOpen),
    PriceClose: price(quote.priceClose),
    PriceAw: zero,
    PriceChange: decimal(change, 2),
    PriceVolatility: '0.00',
    PriceTheoretical: zero,
    PriceGreeksDelta: '0.00',
    PriceGreeksTheta: '0.00',
    PriceGreeksGamma: '0.00',
    PriceGreeksVega: '0.00',
    PriceGreeksRho: '0.00',
    PriceGreeksOmega: '0.00',
    PriceSensitivity: '0.00',
  };
}

/** `symbol`, `from`, `to` (seconds, inclusive) and the letters of `data`; the refusal for what does not fit. */
export function historyRequest(
  request: CommandRequest,
  letters: string,
):
  | { readonly quote: Quote; readonly fromMs: number; readonly toMs: number; readonly data: readonly string[] }
  | CommandReply {
  const { parameters, broker } = request;
  const name = parameters.text('symbol');
  const from = parameters.integer('from');
  const to = parameters.integer('to');
  const data = parameters.text('data') ?? letters;
  if (name === undefined || name === '' || from === undefined || to === undefined) return refused(RETCODE.params);
  if (Number.isNaN(from) || Number.isNaN(to) || from > to) return refused(RETCODE.params);
  if (data === '' || data.split('').some((letter) => !letters.includes(letter))) return refused(RETCODE.params);
  const quote = broker.world.market.quote(name);
  if (quote === undefined) return refused(RETCODE.notFound);
  return {
    quote,
    fromMs: from * 1000,
    toMs: Math.min((to + 1) * 1000, broker.time.serverMs() + 1),
    data: data.split(''),
  };
}

function history(request: CommandRequest): CommandReply {
  const wanted = historyRequest(request, 'dbalv');
  if ('retcode' in wanted) return wanted;
  const { quote, fromMs, toMs, data } = wanted;
  const { digits } = quote.symbol;
  const zero = decimal(0, digits);
  const rows: string[] = [];
  let bytes = 2;
  const add = (tick: { readonly timeMsc: number; readonly bid: number; readonly ask: number }): boolean => {
    const cells = data.map((letter) => {
      if (letter === 'd') return String(tick.timeMsc);
      if (letter === 'b') return decimal(tick.bid, digits);
      if (letter === 'a') return decimal(tick.ask, digits);
      return letter === 'l' ? zero : '0';
    });
    const row = `[${cells.join(',')}]`;
    bytes += row.length + 1;
    if (bytes > request.switches.historyBytes) return false;
    rows.push(row);
    return true;
  };
  const answer = (retcode: number): CommandReply => ({ retcode, answer: new Json(`[${rows.join(',')}]`) });
  // Before the feed of this run: the path; from its first tick on: what was sent.
  const liveFromMs = quote.ticks[0]?.timeMsc ?? Number.POSITIVE_INFINITY;
  for (const tick of request.broker.world.past.ticks(quote.symbol, fromMs, Math.min(toMs, liveFromMs))) {
    if (!add(tick)) return answer(RETCODE.partial);
  }
  for (const tick of quote.ticks) {
    if (tick.timeMsc >= fromMs && tick.timeMsc < toMs && !add(tick)) return answer(RETCODE.partial);
  }
  return answer(0);
}

export const tickCommands: readonly Command[] = [
  { path: 'tick/last', rights: [], run: last },
  { path: 'tick/last_group', rights: [], run: lastGroup },
  { path: 'tick/stat', rights: [], run: stat },
  { path: 'tick/history', rights: [], run: history },
];
