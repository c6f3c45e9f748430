import { BridgeError } from '../../contract/errors.ts';
import type { Caller } from '../../contract/keys.ts';
import { dailyReport, type DailyReport } from '../../contract/schemas/account.ts';
import type { WireObject } from '../../webapi/fields.ts';
import { rfc3339, type BrokerClock } from '../../webapi/time.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import type { Broker, Query, ReadContext } from '../broker/broker.ts';
import { decodeCursor, encodeCursor } from '../broker/cursor.ts';
import { decodeObject } from '../broker/decode.ts';
import { resolveLogins, type LoginQuery } from '../broker/logins.ts';
import type { ManyRows } from '../broker/many-rows.ts';
import type { Page } from './list-order.ts';
import type { ReadPage } from './trade-data.ts';

type Context = ReadContext & { readonly caller: Caller };

export interface DaysQuery {
  /** UTC ms, from inclusive, to exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

const DAY_MS = 86_400_000;
/** Without `from`: what a month's statement needs. */
const OF_ONE_MS = 31 * DAY_MS;
/** Of many accounts: the last day that is whole, wherever the server's midnight is. */
const OF_MANY_MS = 2 * DAY_MS;
const LONGEST_OF_MANY_MS = 31 * DAY_MS;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Accounts at the end of the server's days. */
export class DailyReports {
  readonly #broker: Broker;
  readonly #clock: ClockSource;
  readonly #many: ManyRows;
  readonly #now: () => number;

  constructor(parts: { broker: Broker; clock: ClockSource; many: ManyRows; now: () => number }) {
    this.#broker = parts.broker;
    this.#clock = parts.clock;
    this.#many = parts.many;
    this.#now = parts.now;
  }

  async ofLogin(login: number, query: DaysQuery, context: Context): Promise<Page<DailyReport>> {
    const after = decodeCursor('daily', ['number'], query.cursor)?.[0];
    const clock = await this.#clock.get(context);
    const span = this.#span(query, OF_ONE_MS);
    const rows = await this.#broker.list('daily/get', [['login', String(login)], ...windowOf(span, clock)], context);
    const reports = decoded(rows, span, clock)
      .filter((report) => report.login === login && (after === undefined || timeOf(report) > Number(after)))
      .sort((a, b) => timeOf(a) - timeOf(b));
    const items = reports.slice(0, query.limit);
    const last = items.at(-1);
    const more = reports.length > query.limit && last !== undefined;
    return { items, nextCursor: more ? encodeCursor('daily', [timeOf(last)]) : null };
  }

  async ofMany(who: LoginQuery, query: DaysQuery, context: Context): Promise<ReadPage<DailyReport>> {
    const readAtMs = this.#now();
    const [afterLogin = 0, afterMs = 0] = (decodeCursor('daily:many', ['number', 'number'], query.cursor) ??
      []) as readonly number[];
    const span = this.#span(query, OF_MANY_MS);
    if (span.to - span.from > LONGEST_OF_MANY_MS) throw tooLong();
    const clock = await this.#clock.get(context);
    const isAll = who.group !== undefined && context.caller.logins === undefined;
    const logins = isAll ? [] : await resolveLogins(this.#broker, who, context);
    const asked = new Set(logins);
    const window = windowOf(span, clock);
    const parts = isAll
      ? this.#many.ofMask([DAYS], who.group ?? '', window, context)
      : this.#many.ofLogins([DAYS], logins, window, context);
    const reports: DailyReport[] = [];
    for await (const [rows = []] of parts)
      for (const report of decoded(rows, span, clock)) {
        const isBehind = report.login > afterLogin || (report.login === afterLogin && timeOf(report) > afterMs);
        if ((isAll || asked.has(report.login)) && isBehind) reports.push(report);
      }
    reports.sort((a, b) => a.login - b.login || timeOf(a) - timeOf(b));
    const items = reports.slice(0, query.limit);
    const last = items.at(-1);
    const more = reports.length > query.limit && last !== undefined;
    return {
      items,
      nextCursor: more ? encodeCursor('daily:many', [last.login, timeOf(last)]) : null,
      readAt: rfc3339(readAtMs),
      readAtMs,
    };
  }

  /** Every report of many accounts, in parts as they come. @throws BridgeError */
  async *everyReport(
    who: LoginQuery,
    query: Pick<DaysQuery, 'from' | 'to'>,
    context: Context,
  ): AsyncGenerator<readonly DailyReport[], void, undefined> {
    const span = this.#span(query, OF_MANY_MS);
    if (span.to - span.from > LONGEST_OF_MANY_MS) throw tooLong();
    const clock = await this.#clock.get(context);
    const { parts, isAsked } = await this.#many.of([DAYS], who, context, windowOf(span, clock));
    for await (const [all = []] of parts)
      for await (const rows of this.#many.inParts(all))
        yield decoded(rows, span, clock).filter(({ login }) => isAsked(login));
  }

  #span(query: Pick<DaysQuery, 'from' | 'to'>, usualMs: number): Span {
    const to = query.to ?? this.#now();
    return { from: query.from ?? to - usualMs, to };
  }
}

const DAYS = { path: 'daily/get_batch' } as const;

const timeOf = ({ reportAtMs }: DailyReport): number => reportAtMs ?? 0;

const windowOf = ({ from, to }: Span, clock: BrokerClock): Query => [
  ['from', String(Math.floor(clock.toServerMs(from) / 1000))],
  ['to', String(Math.ceil(clock.toServerMs(to) / 1000))],
];

const decoded = (rows: readonly WireObject[], { from, to }: Span, clock: BrokerClock): DailyReport[] =>
  rows
    .map((row) => decodeObject(dailyReport, row, clock))
    .filter(({ reportAtMs }) => reportAtMs === null || (reportAtMs >= from && reportAtMs < to));

const tooLong = (): BridgeError =>
  new BridgeError('invalid_field', {
    detail: 'query.from: reports of many accounts are told for at most 31 days at once.',
    field: 'query.from',
    expected: 'a time at most 31 days before "to"',
  });
