import { merged, sessionsOf, type TradingCalendar, type Window } from '../../../container/contract/trading-calendar.ts';
import { BrokerClock } from '../../../container/webapi/time.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
const DAY_MS = DAY_MINUTES * MINUTE_MS;
/** How far windows are worked out at once: longer than any closure of a market, Christmas to New Year included. */
const AHEAD_DAYS = 21;
/** A session that is open now may have opened days ago: 24/5 is one window of five days. */
const BEHIND_DAYS = 8;

/** When any of the calendar's markets is open, in UTC. */
export class TradingHours {
  readonly #calendar: TradingCalendar;
  readonly #clock: BrokerClock;
  #windows: readonly Window[] = [];
  /** Windows are complete for moments in this span. */
  #fromMs = 0;
  #toMs = 0;

  constructor(calendar: TradingCalendar) {
    this.#calendar = calendar;
    this.#clock = new BrokerClock(calendar.zone);
  }

  /**
   * The window that holds the moment; else the next one; `undefined` when the market stays closed for two weeks. A market
   * that is open around the clock has no close in sight (`Infinity`), and none has been for a week (`-Infinity`).
   */
  currentOrNext(utcMs: number): Window | undefined {
    return this.#around(utcMs).find(({ closeMs }) => closeMs > utcMs);
  }

  isOpen(utcMs: number): boolean {
    const window = this.currentOrNext(utcMs);
    return window !== undefined && window.openMs <= utcMs;
  }

  #around(utcMs: number): readonly Window[] {
    if (utcMs < this.#fromMs || utcMs >= this.#toMs) {
      const today = Math.floor(utcMs / DAY_MS);
      this.#windows = this.#workOut(today - BEHIND_DAYS, today + AHEAD_DAYS);
      this.#fromMs = today * DAY_MS;
      this.#toMs = (today + 7) * DAY_MS;
    }
    return this.#windows;
  }

  /** Days are the server's, counted from 1970. */
  #workOut(fromDay: number, toDay: number): Window[] {
    const found: Window[] = [];
    for (const market of this.#calendar.markets)
      for (let day = fromDay; day <= toDay; day++)
        for (const [from, to] of sessionsOf(market, day))
          found.push({
            openMs: this.#clock.toUtcMs(day * DAY_MS + from * MINUTE_MS),
            closeMs: this.#clock.toUtcMs(day * DAY_MS + to * MINUTE_MS),
          });
    // Where the days end that were looked at, nothing closes and nothing opens.
    const [firstMs, lastMs] = [fromDay, toDay + 1].map((day) => this.#clock.toUtcMs(day * DAY_MS));
    return merged(found).map(({ openMs, closeMs }) => ({
      openMs: openMs === firstMs ? -Infinity : openMs,
      closeMs: closeMs === lastMs ? Infinity : closeMs,
    }));
  }
}
