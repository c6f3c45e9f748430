import { BridgeError } from '../../contract/errors.ts';
import type { SymbolHours } from '../../contract/schemas/market.ts';
import { isOn, merged, sessionsOf, type Holiday, type Window } from '../../contract/trading-calendar.ts';
import { Fields } from '../../webapi/fields.ts';
import { rfc3339, type BrokerClock } from '../../webapi/time.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import { onlyObject, type Broker, type Query, type ReadContext } from '../broker/broker.ts';
import { readHolidays, type KnownHoliday } from '../broker/holidays.ts';
import { sessionHours, type SessionHours } from '../broker/session-hours.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
const DAY_MS = DAY_MINUTES * MINUTE_MS;
const WEEK_MS = 7 * DAY_MS;
const LONGEST_MS = 92 * DAY_MS;
/** Holidays change by an administrator's hand, some times a year. */
const HOLIDAYS_FRESH_MS = 600_000;

type Span = SymbolHours['trading']['spans'][number];

/** Hours of symbols as instants, from the rules that the server keeps in its own time. */
export class TradingHours {
  readonly #broker: Broker;
  readonly #clock: ClockSource;
  readonly #now: () => number;
  #holidays: { readonly list: readonly KnownHoliday[]; readonly readAtMs: number } | undefined;

  constructor(parts: { broker: Broker; clock: ClockSource; now: () => number }) {
    this.#broker = parts.broker;
    this.#clock = parts.clock;
    this.#now = parts.now;
  }

  async of(
    name: string,
    window: { readonly from?: number | undefined; readonly to?: number | undefined },
    context: ReadContext,
  ): Promise<SymbolHours> {
    const nowMs = this.#now();
    const fromMs = window.from ?? (window.to === undefined ? nowMs : window.to - WEEK_MS);
    const toMs = window.to ?? fromMs + WEEK_MS;
    if (toMs - fromMs > LONGEST_MS)
      throw new BridgeError('invalid_field', {
        detail: 'query.to: at most 92 days are told at once.',
        field: 'query.to',
        expected: 'a time at most 92 days after "from"',
      });
    const query: Query = [['symbol', name]];
    const [{ reply }, clock, known] = await Promise.all([
      this.#broker.reference('symbols', 'symbol/get', query, context),
      this.#clock.get(context),
      this.#known(nowMs, context),
    ]);
    const wire = onlyObject(reply, 'symbol/get', query);
    const path = new Fields(wire).text('Path') ?? name;
    const own = known.filter(({ isFor }) => isFor(name, path));
    const holidays = own.map(({ holiday }) => holiday);
    const told = (hours: SessionHours | undefined): SymbolHours['trading'] => {
      const inUtc = (from: number, to: number): Window[] => (hours ? windowsOf(hours, holidays, clock, from, to) : []);
      return {
        ...standing(hours && inUtc(nowMs - WEEK_MS, nowMs + WEEK_MS), nowMs),
        spans: cut(inUtc(fromMs, toMs), fromMs, toMs),
      };
    };
    const trading = sessionHours(wire, 'SessionsTrades');
    return {
      symbol: name,
      trading: told(trading),
      quotes: told(sessionHours(wire, 'SessionsQuotes')),
      holidays: daysOf(own, clock, fromMs, toMs),
      from: rfc3339(fromMs),
      fromMs,
      to: rfc3339(toMs),
      toMs,
    };
  }

  async #known(nowMs: number, context: ReadContext): Promise<readonly KnownHoliday[]> {
    if (this.#holidays && nowMs - this.#holidays.readAtMs < HOLIDAYS_FRESH_MS) return this.#holidays.list;
    const list = await readHolidays(this.#broker, context);
    this.#holidays = { list, readAtMs: nowMs };
    return list;
  }
}

const serverDay = (clock: BrokerClock, utcMs: number): number => Math.floor(clock.toServerMs(utcMs) / DAY_MS);

const windowOf = (clock: BrokerClock, day: number, [from, to]: readonly [number, number]): Window => ({
  openMs: clock.toUtcMs(day * DAY_MS + from * MINUTE_MS),
  closeMs: clock.toUtcMs(day * DAY_MS + to * MINUTE_MS),
});

/** Whole sessions of the server's days that the span touches. */
function windowsOf(
  hours: SessionHours,
  holidays: readonly Holiday[],
  clock: BrokerClock,
  fromMs: number,
  toMs: number,
): Window[] {
  const found: Window[] = [];
  for (let day = serverDay(clock, fromMs); day <= serverDay(clock, toMs); day++)
    found.push(
      ...sessionsOf({ hours: hours.map(([from, to]): [number, number] => [from, to]), holidays }, day).map((session) =>
        windowOf(clock, day, session),
      ),
    );
  return merged(found);
}

function standing(
  windows: readonly Window[] | undefined,
  nowMs: number,
): Pick<SymbolHours['trading'], 'open' | 'changesAt' | 'changesAtMs'> {
  if (!windows) return { open: null, changesAt: null, changesAtMs: null };
  const next = windows.find(({ closeMs }) => closeMs > nowMs);
  const open = next !== undefined && next.openMs <= nowMs;
  const changesAtMs = (open ? next.closeMs : next?.openMs) ?? null;
  // Open to the end of what was looked at: it does not close within a week.
  const isFar = changesAtMs === null || changesAtMs >= nowMs + WEEK_MS;
  return isFar ? { open, changesAt: null, changesAtMs: null } : { open, changesAt: rfc3339(changesAtMs), changesAtMs };
}

const spanOf = ({ openMs, closeMs }: Window): Span => ({
  openAt: rfc3339(openMs),
  openAtMs: openMs,
  closeAt: rfc3339(closeMs),
  closeAtMs: closeMs,
});

/** Those that lie in the window, at least in part; an open one keeps its true beginning and end. */
const cut = (windows: readonly Window[], fromMs: number, toMs: number): Span[] =>
  windows.filter(({ openMs, closeMs }) => closeMs > fromMs && openMs < toMs).map((window) => spanOf(window));

function daysOf(
  known: readonly KnownHoliday[],
  clock: BrokerClock,
  fromMs: number,
  toMs: number,
): SymbolHours['holidays'] {
  const days: SymbolHours['holidays'] = [];
  for (let day = serverDay(clock, fromMs); day <= serverDay(clock, toMs - 1); day++)
    for (const { holiday, description } of known)
      if (isOn(holiday, day))
        days.push({
          date: new Date(day * DAY_MS).toISOString().slice(0, 10),
          description,
          open: holiday.open && spanOf(windowOf(clock, day, holiday.open)),
        });
  return days;
}
