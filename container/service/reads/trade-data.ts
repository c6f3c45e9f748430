import { BridgeError } from '../../contract/errors.ts';
import { requireLogin } from '../../contract/keys.ts';
import type { Caller } from '../../contract/keys.ts';
import type { Deal, Order, Position } from '../../contract/schemas/trade.ts';
import { rfc3339 } from '../../webapi/time.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import type { Broker, Query, ReadContext } from '../broker/broker.ts';
import { onlyObject } from '../broker/broker.ts';
import { resolveLogins } from '../broker/logins.ts';
import type { LoginQuery } from '../broker/logins.ts';
import type { ManyRows } from '../broker/many-rows.ts';
import type { PageReader } from '../broker/pages.ts';
import { ListOrder, type Page, type Place, type ResumablePage } from './list-order.ts';
import {
  DEALS,
  filterOf,
  HISTORY,
  ORDERS,
  pageOf,
  placeOf,
  POSITIONS,
  RowsInOrder,
  type ListKind,
  type ListQuery,
  type TradeItem,
} from './trade-lists.ts';

export type { Page } from './list-order.ts';

/** Positions, orders, deals: MT5's trade databases, as lists that page and single objects. */

type Context = ReadContext & { readonly caller: Caller };

/** When the broker was first asked for a page about many accounts. */
interface ReadTime {
  readonly readAt: string;
  readonly readAtMs: number;
}
export interface ReadPage<Item> extends Page<Item>, ReadTime {}

/** Logins of one `get_batch`: fewer where the window is long, so that answers stay small; 1 = pages of each login. */
const BATCH_LOGINS = { none: 100, week: 100, month: 25, longer: 1 };
const DAY_MS = 86_400_000;
/** MT5 did not exist before. */
const EARLIEST_MS = Date.UTC(2005, 0, 1);

type Filter = Pick<ListQuery, 'symbol' | 'entry' | 'position' | 'order' | 'clientReference' | 'from' | 'to'>;
type Every<Item> = AsyncGenerator<readonly Item[], void, undefined>;

export class TradeData {
  readonly #broker: Broker;
  readonly #clock: ClockSource;
  readonly #now: () => number;
  readonly #pages: PageReader;
  readonly #many: ManyRows;

  constructor(parts: { broker: Broker; clock: ClockSource; pages: PageReader; many: ManyRows; now: () => number }) {
    this.#broker = parts.broker;
    this.#clock = parts.clock;
    this.#now = parts.now;
    this.#pages = parts.pages;
    this.#many = parts.many;
  }

  positions = (login: number, query: ListQuery, context: Context): Promise<Page<Position>> =>
    this.#ofLogin(POSITIONS, login, query, context);
  orders = (login: number, query: ListQuery, context: Context): Promise<Page<Order>> =>
    this.#ofLogin(ORDERS, login, query, context);
  history = (login: number, query: ListQuery, context: Context): Promise<ResumablePage<Order>> =>
    this.#resumable(HISTORY, query, this.#ofLogin(HISTORY, login, query, context));
  deals = (login: number, query: ListQuery, context: Context): Promise<ResumablePage<Deal>> =>
    this.#resumable(DEALS, query, this.#ofLogin(DEALS, login, query, context));

  positionsOfMany = (logins: LoginQuery, query: ListQuery, context: Context): Promise<ReadPage<Position>> =>
    this.#ofMany(POSITIONS, logins, query, context);
  ordersOfMany = (logins: LoginQuery, query: ListQuery, context: Context): Promise<ReadPage<Order>> =>
    this.#ofMany(ORDERS, logins, query, context);
  historyOfMany = (
    who: LoginQuery,
    query: ListQuery,
    context: Context,
  ): Promise<ReadPage<Order> & ResumablePage<Order>> =>
    this.#resumable(HISTORY, { sort: 'login', ...query }, this.#ofMany(HISTORY, who, query, context));
  dealsOfMany = (who: LoginQuery, query: ListQuery, context: Context): Promise<ReadPage<Deal> & ResumablePage<Deal>> =>
    this.#resumable(DEALS, { sort: 'login', ...query }, this.#ofMany(DEALS, who, query, context));

  order = (ticket: string, context: Context): Promise<Order> => this.#one(ORDERS, 'order/get', ticket, context);
  historyOrder = (ticket: string, context: Context): Promise<Order> =>
    this.#one(HISTORY, 'history/get', ticket, context);
  deal = (ticket: string, context: Context): Promise<Deal> => this.#one(DEALS, 'deal/get', ticket, context);
  /** `position/get` asks for login and symbol; by ticket there is the batch. */
  position = (ticket: string, context: Context): Promise<Position> =>
    this.#one(POSITIONS, 'position/get_batch', ticket, context);

  async #one<Item extends TradeItem>(
    kind: ListKind<Item>,
    path: string,
    ticket: string,
    context: Context,
  ): Promise<Item> {
    const query: Query = [['ticket', ticket]];
    const [reply, clock] = await Promise.all([this.#broker.read(path, query, context), this.#clock.get(context)]);
    const item = kind.decode(onlyObject(reply, path, query), clock);
    requireLogin(context.caller, item.login);
    return item;
  }

  /** What comes later stands behind the end of the page where the list goes by time, oldest first. */
  async #resumable<Item extends TradeItem, Found extends Page<Item>>(
    kind: ListKind<Item>,
    query: ListQuery,
    reading: Promise<Found>,
  ): Promise<Found & { resumeCursor: string | null }> {
    const page = await reading;
    const order = new ListOrder(kind.wire, query);
    const last = page.items.at(-1);
    const end = last ? order.cursorAt(placeOf(kind, last)) : (query.cursor ?? null);
    return { ...page, resumeCursor: order.newestFirst || query.sort === 'login' ? null : end };
  }

  async #ofLogin<Item extends TradeItem>(
    kind: ListKind<Item>,
    login: number,
    query: ListQuery,
    context: Context,
  ): Promise<Page<Item>> {
    const order = new ListOrder(kind.wire, query);
    const after = order.placeOf(login, query.cursor);
    const clock = await this.#clock.get(context);
    const command: Query = [['login', String(login)], ...this.#window(kind, query, order, clock, after)];
    const wanted = filterOf(kind, query, order, after);
    const reading = new RowsInOrder((row) => kind.decode(row, clock), order.newestFirst);
    const read = async (enough: () => boolean): Promise<boolean> => {
      reading.begin();
      const way = order.newestFirst ? 'rowsFromEnd' : 'rows';
      const { rows, atEnd } = await this.#pages[way](kind.wire, command, context, query.limit, (rows) => {
        reading.take(rows);
        return enough();
      });
      reading.take(rows);
      return atEnd;
    };
    // Pages of a window come by time, so the first ones are enough. Where they do not, all are needed.
    const full = (): boolean => reading.items.filter((item) => wanted(item)).length >= query.limit;
    const oldestFirst = new ListOrder(kind.wire, {});
    const inOrder = (): boolean =>
      reading.items.every((item, i) => {
        const before = reading.items[i - 1];
        return !before || oldestFirst.compare(placeOf(kind, before), placeOf(kind, item)) <= 0;
      });
    const all = (): boolean => false;
    let atEnd = await read(kind.timeMs ? full : all);
    if (!atEnd && !inOrder()) atEnd = await read(all);
    return pageOf(
      kind,
      order,
      reading.items.filter((item) => wanted(item)),
      query.limit,
      atEnd,
    );
  }

  async #ofMany<Item extends TradeItem>(
    kind: ListKind<Item>,
    who: LoginQuery,
    query: ListQuery,
    context: Context,
  ): Promise<ReadPage<Item>> {
    const readAtMs = this.#now();
    return { ...(await this.#pageOfMany(kind, who, query, context)), readAt: rfc3339(readAtMs), readAtMs };
  }

  /** Every position of many accounts, in parts as they come. @throws BridgeError */
  everyPosition = (who: LoginQuery, query: Filter, context: Context): Every<Position> =>
    this.#every(POSITIONS, who, query, context);
  /** Every deal of many accounts in a window of at most 31 days, in parts as they come. @throws BridgeError */
  everyDeal = (who: LoginQuery, query: Filter, context: Context): Every<Deal> =>
    this.#every(DEALS, who, query, context);

  async *#every<Item extends TradeItem>(
    kind: ListKind<Item>,
    who: LoginQuery,
    { symbol, entry, position, order: orderTicket, clientReference, from, to }: Filter,
    context: Context,
  ): Every<Item> {
    const query: ListQuery = { symbol, entry, position, order: orderTicket, clientReference, from, to, limit: 0 };
    if (this.#batchSize(kind, query) === 1) throw tooLong();
    const clock = await this.#clock.get(context);
    const order = new ListOrder(kind.wire, {});
    const wanted = filterOf(kind, query, order, undefined);
    const window = this.#window(kind, query, order, clock, undefined);
    const { parts, isAsked } = await this.#many.of([{ path: `${kind.wire}/get_batch` }], who, context, window);
    for await (const [all = []] of parts)
      for await (const rows of this.#many.inParts(all))
        yield rows.map((row) => kind.decode(row, clock)).filter((item) => isAsked(item.login) && wanted(item));
  }

  async #pageOfMany<Item extends TradeItem>(
    kind: ListKind<Item>,
    who: LoginQuery,
    query: ListQuery,
    context: Context,
  ): Promise<Page<Item>> {
    const order = new ListOrder(kind.wire, query);
    const after = order.placeIn(query.cursor);
    const clock = await this.#clock.get(context);
    const wanted = filterOf(kind, query, order, after);
    const size = this.#batchSize(kind, query);
    if (order.byTime && (size === 1 || query.from === undefined)) throw tooLong();
    const window = this.#window(kind, query, order, clock, order.byTime ? after : undefined);
    const batch = { path: `${kind.wire}/get_batch` } as const;
    const isWide = who.group !== undefined && context.caller.logins === undefined && size > 1;
    const whole = isWide ? await this.#many.whole(batch, who.group, window, context) : undefined;
    if (whole) {
      const items: Item[] = [];
      for await (const rows of this.#many.inParts(whole))
        items.push(...rows.map((row) => kind.decode(row, clock)).filter((item) => wanted(item)));
      return pageOf(kind, order, items, query.limit, true);
    }
    const logins = await resolveLogins(this.#broker, who, context);
    // The login in whose middle the last page ended goes on from there.
    const rest = after && !order.byTime ? logins.filter((login) => login >= after[0]) : logins;
    if (size === 1) return this.#loginByLogin(kind, order, rest, after, query, context);
    const asked = new Set(logins);
    const items: Item[] = [];
    let atEnd = true;
    for await (const [rows = []] of this.#many.ofLogins([batch], rest, window, context, size)) {
      for (const row of rows) {
        const item = kind.decode(row, clock);
        // The server is not trusted to answer only what was asked: a key must never see another login.
        if (asked.has(item.login) && wanted(item)) items.push(item);
      }
      // What was read behind a full page is asked for again with the next one.
      atEnd = order.byTime || items.length <= query.limit;
      if (!atEnd) break;
    }
    return pageOf(kind, order, items, query.limit, atEnd);
  }

  /** Long windows: a page of each login as far as needed, instead of whole years of all. */
  async #loginByLogin<Item extends TradeItem>(
    kind: ListKind<Item>,
    order: ListOrder,
    logins: readonly number[],
    after: Place | undefined,
    query: ListQuery,
    context: Context,
  ): Promise<Page<Item>> {
    const items: Item[] = [];
    for (const login of logins) {
      const limit = query.limit + 1 - items.length;
      if (limit <= 0) break;
      const cursor = login === after?.[0] ? query.cursor : undefined;
      const page = await this.#ofLogin(kind, login, { ...query, limit, cursor }, context);
      items.push(...page.items);
    }
    return pageOf(kind, order, items, query.limit, true);
  }

  #batchSize<Item extends TradeItem>(kind: ListKind<Item>, query: ListQuery): number {
    if (!kind.timeMs) return BATCH_LOGINS.none;
    const spanMs = (query.to ?? this.#now()) - (query.from ?? EARLIEST_MS);
    if (spanMs <= 7 * DAY_MS) return BATCH_LOGINS.week;
    return spanMs <= 31 * DAY_MS ? BATCH_LOGINS.month : BATCH_LOGINS.longer;
  }

  /** `from` and `to` in server seconds, a second wider than asked: whether they are inclusive is not documented. */
  #window<Item extends TradeItem>(
    kind: ListKind<Item>,
    query: ListQuery,
    order: ListOrder,
    clock: BrokerClock,
    after: Place | undefined,
  ): Query {
    if (!kind.timeMs) return [];
    const fromMs = Math.max(query.from ?? EARLIEST_MS, (!order.newestFirst && after?.[1]) || 0);
    const untilMs = order.newestFirst && after ? after[1] + 1 : Infinity;
    const toMs = Math.min(query.to ?? this.#now() + DAY_MS, untilMs);
    return [
      ['from', String(Math.floor(clock.toServerMs(fromMs) / 1000))],
      ['to', String(Math.ceil(clock.toServerMs(toMs) / 1000))],
    ];
  }
}

const tooLong = (): BridgeError =>
  new BridgeError('invalid_field', {
    detail:
      'query.from: many accounts in order of time, or as lines, are read whole, so that a window of at most 31 days is needed.',
    field: 'query.from',
    expected: 'a time at most 31 days before "to"',
  });
