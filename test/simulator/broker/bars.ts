/** M1 bars and ticks of the past: generated from the price path where the feed of this run has not been. */
import { DAY_MS, MINUTE_MS, minuteOfDay, weekday } from './calendar.ts';
import type { PricePath } from './price-path.ts';
import { hash32, hashText } from './random.ts';
import { inSessions, type SymbolSpec } from './symbols.ts';

export interface Bar {
  /** Start of the minute, server time. */
  readonly timeMs: number;
  open: number;
  high: number;
  low: number;
  close: number;
  tickVolume: number;
  spread: number;
}

export interface Tick {
  readonly timeMsc: number;
  readonly bid: number;
  readonly ask: number;
}

/** Samples of the path that make a bar of the past. */
const SAMPLE_MS = [0, 9000, 21_000, 32_000, 44_000, 59_000] as const;
/** One minute in this many has no tick, and so no bar. */
const MISSING_ONE_IN = 97;
/** Bars of the past that are kept, all symbols together: four months of one symbol. */
const CACHE_DAYS = 120;

export class PastMarket {
  readonly #path: PricePath;
  readonly #seed: number;
  readonly #days = new Map<string, readonly Bar[]>();

  constructor(path: PricePath, seed: number) {
    this.#path = path;
    this.#seed = seed;
  }

  /** The bars of one server day. */
  day(symbol: SymbolSpec, dayMs: number): readonly Bar[] {
    const key = `${symbol.name} ${dayMs}`;
    const known = this.#days.get(key);
    if (known !== undefined) return known;
    const seed = hashText(symbol.name, this.#seed ^ 0x4d31);
    const bars: Bar[] = [];
    const day = weekday(dayMs);
    for (let minute = 0; minute < 1440; minute += 1) {
      if (!inSessions(symbol.sessionsQuotes, day, minute)) continue;
      const timeMs = dayMs + minute * MINUTE_MS;
      const chance = hash32(seed, timeMs / MINUTE_MS);
      if (chance % MISSING_ONE_IN !== 0) bars.push(this.#bar(symbol, timeMs, chance));
    }
    if (this.#days.size >= CACHE_DAYS) {
      const [oldest] = this.#days.keys();
      if (oldest !== undefined) this.#days.delete(oldest);
    }
    this.#days.set(key, bars);
    return bars;
  }

  #bar(symbol: SymbolSpec, timeMs: number, chance: number): Bar {
    const prices = SAMPLE_MS.map((offset) => this.#path.quote(symbol, timeMs + offset).bid);
    const open = prices[0] ?? 1;
    const close = prices.at(-1) ?? open;
    return {
      timeMs,
      open,
      high: Math.max(...prices) + (chance & 1),
      low: Math.max(1, Math.min(...prices) - ((chance >>> 1) & 1)),
      close,
      tickVolume: 12 + (chance % 140),
      spread: this.#path.spread(symbol, timeMs),
    };
  }

  /** Ticks of the past in [fromMs, toMs), about one every two seconds while the market quotes. */
  *ticks(symbol: SymbolSpec, fromMs: number, toMs: number): Generator<Tick> {
    const seed = hashText(symbol.name, this.#seed ^ 0x7163);
    for (let second = Math.ceil(fromMs / 1000); second * 1000 < toMs; second += 1) {
      const chance = hash32(seed, second);
      if (chance % 2 === 1) continue;
      const timeMsc = second * 1000 + (chance % 997);
      if (timeMsc < fromMs || timeMsc >= toMs) continue;
      if (!inSessions(symbol.sessionsQuotes, weekday(timeMsc), minuteOfDay(timeMsc))) {
        // Nothing before the next minute can be inside either.
        second = Math.floor(second / 60) * 60 + 59;
        continue;
      }
      yield { timeMsc, ...this.#path.quote(symbol, timeMsc) };
    }
  }
}

/** Starts of the server days that touch [fromMs, toMs]. */
export function* daysBetween(fromMs: number, toMs: number): Generator<number> {
  for (let day = Math.floor(fromMs / DAY_MS) * DAY_MS; day <= toMs; day += DAY_MS) yield day;
}
