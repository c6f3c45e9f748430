import type { Market, TradingCalendar } from '../../contract/trading-calendar.ts';
import { Fields, payloadObjects } from '../../webapi/fields.ts';
import type { Broker } from './broker.ts';
import type { ClockSource } from './broker-clock.ts';
import { commaLists } from './comma-lists.ts';
import { readHolidays } from './holidays.ts';
import { sessionHours } from './session-hours.ts';

/** Hours and holidays change by an administrator's hand, some times a year. */
const FRESH_MS = 6 * 3_600_000;
const READ_TIMEOUT_MS = 20_000;
/** Symbols that come into use one after another are not asked for one by one. */
const READ_AGAIN_MS = 60_000;
/** Until anything is in use: what nearly every broker has, with whatever ending. */
const USUAL = 'EURUSD*';

export interface CalendarReaderOptions {
  readonly broker: Pick<Broker, 'read'>;
  readonly clock: Pick<ClockSource, 'get'>;
  /** Mask list of the symbols whose hours count; '' = those in use. */
  readonly symbols: string;
  readonly inUse: () => Promise<readonly string[]>;
  readonly now: () => number;
  readonly tell: (calendar: TradingCalendar) => void;
  readonly onError: (error: unknown) => void;
}

/** Reads from the server when its market is open, for the sleep policy of whoever owns this container. */
export class CalendarReader {
  readonly #options: CalendarReaderOptions;
  #readAtMs = -Infinity;
  /** In use when it was last read. */
  #known: ReadonlySet<string> = new Set();
  #waiting = false;
  #readForNewAtMs = -Infinity;

  constructor(options: CalendarReaderOptions) {
    this.#options = options;
  }

  /** A session is there: what is not known or old is read, in the background. */
  signedIn(): void {
    if (this.#options.now() - this.#readAtMs >= FRESH_MS) this.#refresh();
  }

  /** These are in use. Those of before may have other hours by now, too. */
  used(names: readonly string[]): void {
    const { now, symbols } = this.#options;
    this.signedIn();
    if (symbols !== '' || this.#waiting || names.every((name) => this.#known.has(name))) return;
    this.#waiting = true;
    setTimeout(
      () => {
        this.#waiting = false;
        this.#readForNewAtMs = now();
        this.#refresh();
      },
      Math.max(0, this.#readForNewAtMs + READ_AGAIN_MS - now()),
    ).unref();
  }

  #refresh(): void {
    const { now, tell, onError } = this.#options;
    this.#readAtMs = now();
    this.#read().then(
      (calendar) => calendar.markets.length > 0 && tell(calendar),
      (error: unknown) => {
        this.#readAtMs = -Infinity;
        onError(error);
      },
    );
  }

  async #read(): Promise<TradingCalendar> {
    const { broker, clock, symbols, now } = this.#options;
    const context = { deadlineAtMs: now() + READ_TIMEOUT_MS, signal: AbortSignal.timeout(READ_TIMEOUT_MS) };
    const { settings } = await clock.get(context);
    const inUse = symbols === '' ? await this.#options.inUse() : [];
    this.#known = new Set(inUse);
    const [list = []] = commaLists(inUse);
    const mask = symbols || list.join(',') || USUAL;
    const found = await broker.read('symbol/get', [['mask', mask]], context);
    const holidays = await readHolidays(broker, context);
    const markets = new Map<string, Gathered>();
    for (const wire of payloadObjects(found.body)) {
      const symbol = new Fields(wire).text('Symbol');
      const hours = sessionHours(wire, 'SessionsTrades') ?? sessionHours(wire, 'SessionsQuotes');
      if (symbol === undefined || hours === undefined) continue;
      const path = new Fields(wire).text('Path') ?? symbol;
      const own = holidays.filter(({ isFor }) => isFor(symbol, path)).map(({ holiday }) => holiday);
      const key = JSON.stringify([hours, own]);
      const market: Gathered = markets.get(key) ?? {
        symbols: [],
        hours: hours.map(([from, to]) => [from, to]),
        holidays: own,
      };
      market.symbols.push(symbol);
      markets.set(key, market);
    }
    return { zone: { zoneMinutes: settings.zoneMinutes, daylight: settings.daylight }, markets: [...markets.values()] };
  }
}

interface Gathered extends Omit<Market, 'symbols'> {
  readonly symbols: string[];
}
