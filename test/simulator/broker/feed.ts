/** The price feed: last ticks, day statistics, live bars and recent ticks of every symbol. */
import { DAY_MS, MINUTE_MS, minuteOfDay, weekday } from './calendar.ts';
import type { Bar, Tick } from './bars.ts';
import type { PricePath } from './price-path.ts';
import type { Random } from './random.ts';
import { inSessions, type SymbolSpec } from './symbols.ts';

export interface Quote {
  readonly symbol: SymbolSpec;
  bid: number;
  ask: number;
  timeMsc: number;
  transId: number;
  bidLow: number;
  bidHigh: number;
  askLow: number;
  askHigh: number;
  bidDirection: number;
  askDirection: number;
  priceOpen: number;
  priceClose: number;
  /** Server day that the statistics belong to. */
  dayMs: number;
  readonly ticks: Tick[];
  /** Bars of this run, by minute. */
  readonly bars: Map<number, Bar>;
}

/** Recent ticks kept of each symbol; twice as many are held before the older half goes. */
const TICKS_KEPT = 4000;
/** Live bars kept of each symbol: two days. */
const BARS_KEPT = 2880;
/** Ticks made in one turn at most, so that a clock set far ahead does not stall the process. */
const MOST_TICKS_A_TURN = 4000;

interface FeedOptions {
  path: PricePath;
  random: Random;
  ticksPerSecond: number;
}

type Fault = { readonly kind: 'freeze-feed' | 'gap' | 'out-of-order'; readonly untilMs: number };

export class Feed {
  ticksPerSecond: number;
  /** Rises by one with every tick of any symbol. */
  transId = 8_000_000;
  /** Minutes in which the feed was kept silent by a fault: they have no bars. */
  readonly silentMinutes = new Set<number>();
  readonly #path: PricePath;
  readonly #random: Random;
  readonly #quotes = new Map<string, Quote>();
  #list: Quote[] = [];
  #lastMs = 0;
  #owed = 0;
  #fault: Fault | undefined;

  constructor(options: FeedOptions) {
    this.#path = options.path;
    this.#random = options.random;
    this.ticksPerSecond = options.ticksPerSecond;
  }

  /** Symbols as configured now; those that stay keep their quotes. */
  setSymbols(symbols: Iterable<SymbolSpec>, nowMs: number): void {
    const before = new Map(this.#quotes);
    this.#quotes.clear();
    for (const symbol of symbols) {
      const known = before.get(symbol.name);
      // Prices in other digits are other prices.
      const stays = known !== undefined && known.symbol.digits === symbol.digits;
      const quote = stays ? { ...known, symbol } : this.#opening(symbol, nowMs);
      this.#quotes.set(symbol.name, quote);
    }
    this.#list = [...this.#quotes.values()];
    if (this.#lastMs === 0) this.#lastMs = nowMs;
  }

  /** The quote a market starts with: of now, or of its last open minute. */
  #opening(symbol: SymbolSpec, nowMs: number): Quote {
    let timeMsc = nowMs;
    for (let back = 0; back < 10 * 1440 && !this.quotes(symbol, timeMsc); back += 1) {
      timeMsc = Math.floor(timeMsc / MINUTE_MS) * MINUTE_MS - 1;
    }
    const { bid, ask } = this.#path.quote(symbol, timeMsc);
    this.transId += 1;
    const quote: Quote = {
      symbol,
      bid,
      ask,
      timeMsc,
      transId: this.transId,
      bidLow: bid,
      bidHigh: bid,
      askLow: ask,
      askHigh: ask,
      bidDirection: 0,
      askDirection: 0,
      priceOpen: bid,
      priceClose: bid,
      dayMs: Math.floor(timeMsc / DAY_MS) * DAY_MS,
      ticks: [{ timeMsc, bid, ask }],
      bars: new Map(),
    };
    const dayOpen = this.#path.quote(symbol, quote.dayMs).bid;
    quote.priceOpen = dayOpen;
    quote.priceClose = this.#path.quote(symbol, quote.dayMs - 1).bid;
    quote.bidLow = Math.min(bid, dayOpen);
    quote.bidHigh = Math.max(bid, dayOpen);
    quote.askLow = quote.bidLow + (ask - bid);
    quote.askHigh = quote.bidHigh + (ask - bid);
    return quote;
  }

  quote(symbol: string): Quote | undefined {
    return this.#quotes.get(symbol);
  }

  get all(): readonly Quote[] {
    return this.#list;
  }

  /** Whether a symbol's market sends quotes at a server time. */
  quotes(symbol: SymbolSpec, serverMs: number): boolean {
    return inSessions(symbol.sessionsQuotes, weekday(serverMs), minuteOfDay(serverMs));
  }

  fault(kind: Fault['kind'], untilMs: number): void {
    this.#fault = { kind, untilMs };
  }

  heal(): void {
    this.#fault = undefined;
  }

  /**
   * Makes the ticks that are due between the last turn and now. `wallSeconds` of real time decide how many, so that a
   * fast clock spreads the same number over more hours. Returns the quotes that changed.
   */
  advance(nowMs: number, wallSeconds: number, wallMs: number): ReadonlySet<Quote> {
    const changed = new Set<Quote>();
    const fromMs = this.#lastMs;
    if (nowMs < fromMs) {
      this.#lastMs = nowMs;
      return changed;
    }
    this.#owed = Math.min(MOST_TICKS_A_TURN, this.#owed + this.ticksPerSecond * wallSeconds);
    const count = Math.floor(this.#owed);
    if (this.#fault !== undefined && wallMs >= this.#fault.untilMs) this.#fault = undefined;
    this.#owed -= count;
    this.#lastMs = nowMs;
    if (count === 0) return changed;
    const kind = this.#fault?.kind;
    if (kind === 'freeze-feed' || kind === 'gap') this.#silence(nowMs);
    if (kind === 'freeze-feed') return changed;
    if (kind === 'gap') {
      // Numbers pass without ticks: what a client sees of a feed that lost some.
      this.transId += count;
      return changed;
    }
    const open = this.#list.filter((quote) => this.quotes(quote.symbol, nowMs));
    if (open.length === 0) return changed;
    for (let index = 0; index < count; index += 1) {
      const quote = open[Math.floor(this.#random.next() * open.length)];
      if (quote === undefined) break;
      const timeMsc = Math.floor(fromMs + ((nowMs - fromMs) * (index + 1)) / count);
      const late = kind === 'out-of-order' && index % 3 === 0 ? 1500 : 0;
      const price = this.#path.quote(quote.symbol, timeMsc, this.#random.integer(-1, 1));
      this.#apply(quote, timeMsc - late, price.bid, price.ask);
      changed.add(quote);
    }
    return changed;
  }

  #silence(nowMs: number): void {
    this.silentMinutes.add(Math.floor(nowMs / MINUTE_MS) * MINUTE_MS);
    if (this.silentMinutes.size <= BARS_KEPT) return;
    const [oldest] = this.silentMinutes;
    if (oldest !== undefined) this.silentMinutes.delete(oldest);
  }

  /** A quote made by hand or by the clock. */
  set(symbol: string, timeMsc: number, bid: number, ask: number): Quote | undefined {
    const quote = this.#quotes.get(symbol);
    if (quote !== undefined) this.#apply(quote, timeMsc, bid, ask);
    return quote;
  }

  /** Brings every open market to the path's price of now: after the clock was set. */
  refresh(nowMs: number): void {
    this.#lastMs = nowMs;
    for (const quote of this.#list) {
      if (!this.quotes(quote.symbol, nowMs)) continue;
      // What was sent around the old time is the past now, and the past is the path's.
      quote.ticks.length = 0;
      quote.bars.clear();
      const { bid, ask } = this.#path.quote(quote.symbol, nowMs);
      this.#apply(quote, nowMs, bid, ask);
    }
  }

  #apply(quote: Quote, timeMsc: number, bid: number, ask: number): void {
    const dayMs = Math.floor(timeMsc / DAY_MS) * DAY_MS;
    if (dayMs !== quote.dayMs) {
      quote.dayMs = dayMs;
      quote.priceClose = quote.bid;
      quote.priceOpen = bid;
      quote.bidLow = quote.bidHigh = bid;
      quote.askLow = quote.askHigh = ask;
    }
    quote.bidDirection = bid > quote.bid ? 1 : bid < quote.bid ? 2 : 0;
    quote.askDirection = ask > quote.ask ? 1 : ask < quote.ask ? 2 : 0;
    quote.bid = bid;
    quote.ask = ask;
    quote.timeMsc = timeMsc;
    this.transId += 1;
    quote.transId = this.transId;
    if (bid < quote.bidLow) quote.bidLow = bid;
    if (bid > quote.bidHigh) quote.bidHigh = bid;
    if (ask < quote.askLow) quote.askLow = ask;
    if (ask > quote.askHigh) quote.askHigh = ask;
    quote.ticks.push({ timeMsc, bid, ask });
    if (quote.ticks.length > 2 * TICKS_KEPT) quote.ticks.splice(0, quote.ticks.length - TICKS_KEPT);
    this.#bar(quote, timeMsc, bid, ask);
  }

  #bar(quote: Quote, timeMsc: number, bid: number, ask: number): void {
    const timeMs = Math.floor(timeMsc / MINUTE_MS) * MINUTE_MS;
    const bar = quote.bars.get(timeMs);
    if (bar === undefined) {
      quote.bars.set(timeMs, { timeMs, open: bid, high: bid, low: bid, close: bid, tickVolume: 1, spread: ask - bid });
      if (quote.bars.size > BARS_KEPT) {
        const [oldest] = quote.bars.keys();
        if (oldest !== undefined) quote.bars.delete(oldest);
      }
      return;
    }
    bar.high = Math.max(bar.high, bid);
    bar.low = Math.min(bar.low, bid);
    bar.close = bid;
    bar.tickVolume += 1;
    bar.spread = Math.min(bar.spread, ask - bid);
  }
}
