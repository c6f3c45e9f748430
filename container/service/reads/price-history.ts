import { BridgeError } from '../../contract/errors.ts';
import type { Candle, Tick } from '../../contract/schemas/market.ts';
import { plainDecimal } from '../../webapi/decimal.ts';
import type { Row } from '../../webapi/rows.ts';
import { rfc3339 } from '../../webapi/time.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import type { Broker, ReadContext } from '../broker/broker.ts';
import { decodeCursor, encodeCursor } from '../broker/cursor.ts';
import { aggregate, frameStart, MINUTE_SECONDS, nextFrame } from './candle-frames.ts';
import type { Bar, Timeframe } from './candle-frames.ts';
import { readRows } from '../broker/row-reader.ts';
import type { Page } from './trade-data.ts';

/** Candles and ticks of the past. */

export interface HistoryQuery {
  readonly symbol: string;
  /** Of candles: the last so many before `to`, in place of a page. */
  readonly last?: number | undefined;
  /** UTC ms: from inclusive, to exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAY_SECONDS = DAY_MS / 1000;

/** What is shown without `from`. */
function defaultSpanMs(timeframe: Timeframe): number {
  if (timeframe.startsWith('M') && timeframe !== 'MN1') return DAY_MS;
  return timeframe.startsWith('H') ? 31 * DAY_MS : 180 * DAY_MS;
}

/** Minutes that one request looks at: about half a year, 16 MB of rows; what lies further is behind the cursor. */
const MAX_MINUTES_READ = 190 * 1440;
/** Windows of ticks: the first, and the longest (they double while there are few). */
const FIRST_TICK_WINDOW_SECONDS = 900;
const LONGEST_TICK_WINDOW_SECONDS = 7 * DAY_SECONDS;
const MAX_TICK_WINDOWS = 24;

export class PriceHistory {
  readonly #broker: Broker;
  readonly #clock: ClockSource;
  readonly #now: () => number;

  constructor(broker: Broker, clock: ClockSource, now: () => number) {
    this.#broker = broker;
    this.#clock = clock;
    this.#now = now;
  }

  async candles(timeframe: Timeframe, query: HistoryQuery, context: ReadContext): Promise<Page<Candle>> {
    const clock = await this.#clock.get(context);
    if (query.last !== undefined) return this.#last(timeframe, query.last, query, clock, context);
    const list = `candles:${query.symbol}:${timeframe}`;
    const after = decodeCursor(list, ['number'], query.cursor)?.[0];
    const toMs = query.to ?? this.#now() + MINUTE_SECONDS * 1000;
    const fromMs = query.from ?? toMs - defaultSpanMs(timeframe);
    const server = (utcMs: number): number => Math.ceil(clock.toServerMs(utcMs) / 1000);
    /** Frames whose beginning is in [begin, end) of server time. */
    let begin = frameStart(timeframe, server(fromMs));
    if (begin < server(fromMs)) begin = nextFrame(timeframe, begin);
    if (after !== undefined) begin = Math.max(begin, Number(after));
    const end = server(toMs);

    const candles: Bar[] = [];
    const nowSeconds = Math.floor(clock.toServerMs(this.#now()) / 1000);
    let at = begin;
    while (at < end && candles.length <= query.limit && at - begin < MAX_MINUTES_READ * MINUTE_SECONDS) {
      const until = windowEnd(timeframe, at, Math.min(end, nowSeconds + DAY_SECONDS), query.limit + 1 - candles.length);
      const minutes = await this.#minutes(query.symbol, at, until, context);
      candles.push(...aggregate(timeframe, minutes).filter((bar) => bar.startSeconds < end));
      at = until;
      if (until > nowSeconds) break;
    }
    const items = candles.slice(0, query.limit);
    const nextSeconds =
      candles.length > query.limit ? candles[query.limit]?.startSeconds : at < end && at <= nowSeconds ? at : undefined;
    return {
      items: items.map((bar) => candleOf(bar, clock, nextFrame(timeframe, bar.startSeconds) <= nowSeconds)),
      nextCursor: nextSeconds === undefined ? null : encodeCursor(list, [nextSeconds]),
    };
  }

  /** Backwards in windows that double while there are few: weekends and holidays have no candles. */
  async #last(
    timeframe: Timeframe,
    count: number,
    { symbol, to }: HistoryQuery,
    clock: BrokerClock,
    context: ReadContext,
  ): Promise<Page<Candle>> {
    const nowSeconds = Math.floor(clock.toServerMs(this.#now()) / 1000);
    const end = Math.min(Math.ceil(clock.toServerMs(to ?? this.#now()) / 1000), nowSeconds + MINUTE_SECONDS);
    let begin = frameStart(timeframe, end);
    if (begin < end) begin = nextFrame(timeframe, begin);
    const earliest = begin - MAX_MINUTES_READ * MINUTE_SECONDS;
    let span = Math.max((begin - frameStart(timeframe, begin - 1)) * count, DAY_SECONDS);
    let bars: Bar[] = [];
    while (bars.length < count && begin > earliest) {
      const from = frameStart(timeframe, Math.max(begin - span, earliest));
      bars = [...aggregate(timeframe, await this.#minutes(symbol, from, begin, context)), ...bars];
      begin = from;
      span *= 2;
    }
    const items = bars.filter(({ startSeconds }) => startSeconds < end).slice(-count);
    return {
      items: items.map((bar) => candleOf(bar, clock, nextFrame(timeframe, bar.startSeconds) <= nowSeconds)),
      nextCursor: null,
    };
  }

  /** Minutes of [from, to) in server seconds, ascending, each once. */
  async #minutes(
    symbol: string,
    fromSeconds: number,
    toSeconds: number,
    context: ReadContext,
  ): Promise<readonly Row[]> {
    const request = { symbol, fromSeconds, toSeconds, data: 'dohlctvs' };
    const rows = await readRows(this.#broker, 'chart/get', request, context, { now: this.#now, secondsOf: timeOf });
    const inside = rows.filter((row) => timeOf(row) >= fromSeconds && timeOf(row) < toSeconds);
    const ascending = inside.every((row, i) => i === 0 || timeOf(row) > timeOf(inside[i - 1] ?? row));
    if (ascending) return inside;
    const byStart = new Map(inside.map((row) => [timeOf(row), row]));
    return [...byStart.values()].sort((a, b) => timeOf(a) - timeOf(b));
  }

  async ticks(query: HistoryQuery, context: ReadContext): Promise<Page<Tick>> {
    const clock = await this.#clock.get(context);
    const list = `ticks:${query.symbol}`;
    const place = decodeCursor(list, ['number', 'number'], query.cursor);
    const latestMs = Math.min(query.to ?? Infinity, this.#now() + MINUTE_SECONDS * 1000);
    const toMs = clock.toServerMs(latestMs);
    const fromMs = clock.toServerMs(query.from ?? latestMs - HOUR_MS);
    /** Server ms of the last tick that was delivered, and how many of that millisecond were. */
    const [afterMs, delivered] = place ? [Number(place[0]), Number(place[1])] : [-1, 0];

    const rows: Row[] = [];
    let atSeconds = Math.floor(Math.max(fromMs, afterMs) / 1000);
    const endSeconds = Math.ceil(toMs / 1000);
    let windowSeconds = FIRST_TICK_WINDOW_SECONDS;
    for (
      let windows = 0;
      atSeconds < endSeconds && rows.length <= query.limit && windows < MAX_TICK_WINDOWS;
      windows++
    ) {
      const until = Math.min(endSeconds, atSeconds + windowSeconds);
      const got = await this.#tickRows(query.symbol, atSeconds, until, context);
      let sameMs = 0;
      for (const row of got) {
        const ms = timeOf(row);
        if (ms < fromMs || ms >= toMs || ms < afterMs) continue;
        if (ms === afterMs && sameMs++ < delivered) continue;
        rows.push(row);
      }
      atSeconds = until;
      windowSeconds = Math.min(windowSeconds * 2, LONGEST_TICK_WINDOW_SECONDS);
    }
    const page = rows.slice(0, query.limit);
    const more = rows.length > page.length || atSeconds < endSeconds;
    return {
      items: page.map((row) => tickOf(row, clock)),
      nextCursor: more ? encodeCursor(list, tickPlace(page, [afterMs, delivered], atSeconds)) : null,
    };
  }

  /** Ticks of [from, to) in server seconds, by time; those of one millisecond in the server's order. */
  async #tickRows(
    symbol: string,
    fromSeconds: number,
    toSeconds: number,
    context: ReadContext,
  ): Promise<readonly Row[]> {
    const request = { symbol, fromSeconds, toSeconds, data: 'dbalv' };
    const secondsOf = (row: Row): number => Math.floor(timeOf(row) / 1000);
    const rows = await readRows(this.#broker, 'tick/history', request, context, { now: this.#now, secondsOf });
    return rows
      .filter((row) => secondsOf(row) >= fromSeconds && secondsOf(row) < toSeconds)
      .sort((a, b) => timeOf(a) - timeOf(b));
  }
}

/**
 * The end of the next window of minutes, at a frame's beginning: enough for the candles still wanted if there were no
 * gaps, at least a day, and no more than one request reads.
 */
function windowEnd(timeframe: Timeframe, at: number, end: number, wanted: number): number {
  const frame = nextFrame(timeframe, at) - at;
  const span = Math.min(Math.max(frame * wanted, DAY_SECONDS), MAX_MINUTES_READ * MINUTE_SECONDS);
  const target = Math.min(at + span, end);
  const start = frameStart(timeframe, target);
  return start < target || start <= at ? nextFrame(timeframe, Math.max(start, at)) : start;
}

/** The first column: seconds of minutes, milliseconds of ticks, in server time. */
function timeOf(row: Row): number {
  const value = row.values[0];
  if (Number.isSafeInteger(value)) return value as number;
  throw new BridgeError('broker_malformed', 'The broker sent a row of history without a time.');
}

function candleOf(bar: Bar, clock: BrokerClock, complete: boolean): Candle {
  const openAtMs = clock.toUtcMs(bar.startSeconds * 1000);
  const { open, high, low, close, tickVolume, volume, spread } = bar;
  return { openAt: rfc3339(openAtMs), openAtMs, open, high, low, close, tickVolume, volume, spread, complete };
}

function tickOf(row: Row, clock: BrokerClock): Tick {
  const quotedAtMs = clock.toUtcMs(timeOf(row));
  const [, bid, ask, last, volume] = row.texts.map((text) => plainDecimal(text) ?? null);
  return {
    quotedAt: rfc3339(quotedAtMs),
    quotedAtMs,
    bid: bid ?? null,
    ask: ask ?? null,
    last: last ?? null,
    volume: volume ?? null,
  };
}

/** Where the page ends: its last millisecond and how many ticks of it have been delivered, those of before included. */
function tickPlace(page: readonly Row[], before: readonly [number, number], atSeconds: number): [number, number] {
  const last = page.at(-1);
  if (!last) return [Math.max(before[0], atSeconds * 1000), 0];
  const ms = timeOf(last);
  const same = page.filter((row) => timeOf(row) === ms).length;
  return [ms, same + (ms === before[0] ? before[1] : 0)];
}
