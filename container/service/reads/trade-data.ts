import { requireLogin } from '../../contract/keys.ts';
import type { Caller } from '../../contract/keys.ts';
import { deal, order, position } from '../../contract/schemas/trade.ts';
import type { Deal, Order, Position } from '../../contract/schemas/trade.ts';
import type { WireObject } from '../../webapi/fields.ts';
import { parseMask } from '../../contract/masks.ts';
import { rfc3339 } from '../../webapi/time.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import { inParts } from '../broker/breathe.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import type { Broker, Query, ReadContext } from '../broker/broker.ts';
import { onlyObject } from '../broker/broker.ts';
import { decodeCursor, encodeCursor, refuseCursor } from '../broker/cursor.ts';
import { decodeObject } from '../broker/decode.ts';
import { resolveLogins } from '../broker/logins.ts';
import type { LoginQuery } from '../broker/logins.ts';
import type { ManyRows } from '../broker/many-rows.ts';
import type { PageReader } from '../broker/pages.ts';

/** Positions, orders, deals: MT5's trade databases, as lists that page and single objects. */

type Context = ReadContext & { readonly caller: Caller };

export interface ListQuery {
  readonly symbol?: string | undefined;
  /** UTC ms, from inclusive, to exclusive; for history and deals. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** A page about many accounts, and when the broker was first asked for it. */
export interface ReadPage<Item> extends Page<Item> {
  readonly readAt: string;
  readonly readAtMs: number;
}

interface TradeItem {
  readonly login: number;
  readonly ticket: string;
  readonly symbol: string | null;
}

interface ListKind<Item extends TradeItem> {
  readonly wire: 'order' | 'history' | 'deal' | 'position';
  readonly decode: (object: WireObject, clock: BrokerClock) => Item;
  /** Where the list has a time window: the time that it goes by, UTC ms. */
  readonly timeMs?: (item: Item) => number;
}

const POSITIONS: ListKind<Position> = {
  wire: 'position',
  decode: (object, clock) => decodeObject(position, object, clock),
};
const ORDERS: ListKind<Order> = { wire: 'order', decode: (object, clock) => decodeObject(order, object, clock) };
const HISTORY: ListKind<Order> = {
  wire: 'history',
  decode: ORDERS.decode,
  timeMs: (item) => item.doneAtMs ?? item.setupAtMs ?? 0,
};
const DEALS: ListKind<Deal> = {
  wire: 'deal',
  decode: (object, clock) => decodeObject(deal, object, clock),
  timeMs: (item) => item.executedAtMs ?? 0,
};

/** The place of an item in every list: by login, then time (0 where the list has none), then ticket. */
type Place = readonly [login: number, timeMs: number, ticket: string];

const compareTickets = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
const comparePlaces = (a: Place, b: Place): number => a[0] - b[0] || a[1] - b[1] || compareTickets(a[2], b[2]);

/** Logins of one `get_batch`: fewer where the window is long, so that answers stay small; 1 = pages of each login. */
const BATCH_LOGINS = { none: 100, week: 100, month: 25, longer: 1 };
const DAY_MS = 86_400_000;
/** MT5 did not exist before. */
const EARLIEST_MS = Date.UTC(2005, 0, 1);

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
  history = (login: number, query: ListQuery, context: Context): Promise<Page<Order>> =>
    this.#ofLogin(HISTORY, login, query, context);
  deals = (login: number, query: ListQuery, context: Context): Promise<Page<Deal>> =>
    this.#ofLogin(DEALS, login, query, context);

  positionsOfMany = (logins: LoginQuery, query: ListQuery, context: Context): Promise<ReadPage<Position>> =>
    this.#ofMany(POSITIONS, logins, query, context);
  ordersOfMany = (logins: LoginQuery, query: ListQuery, context: Context): Promise<ReadPage<Order>> =>
    this.#ofMany(ORDERS, logins, query, context);
  historyOfMany = (logins: LoginQuery, query: ListQuery, context: Context): Promise<ReadPage<Order>> =>
    this.#ofMany(HISTORY, logins, query, context);
  dealsOfMany = (logins: LoginQuery, query: ListQuery, context: Context): Promise<ReadPage<Deal>> =>
    this.#ofMany(DEALS, logins, query, context);

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

  async #ofLogin<Item extends TradeItem>(
    kind: ListKind<Item>,
    login: number,
    query: ListQuery,
    context: Context,
  ): Promise<Page<Item>> {
    const after = placeAfter(kind, query.cursor);
    if (after && after[0] !== login) throw refuseCursor();
    const clock = await this.#clock.get(context);
    const command: Query = [['login', String(login)], ...this.#window(kind, query, clock, after?.[1])];
    const wanted = filterOf(kind, query, after);
    const items: Item[] = [];
    const decode = (rows: readonly WireObject[]): void => {
      for (const row of rows.slice(items.length)) items.push(kind.decode(row, clock));
    };
    const read = async (enough: () => boolean): Promise<boolean> => {
      items.length = 0;
      const { rows, atEnd } = await this.#pages.rows(kind.wire, command, context, query.limit, (rows) => {
        decode(rows);
        return enough();
      });
      decode(rows);
      return atEnd;
    };
    // Pages of a window come by time, so the first ones are enough. Where they do not, all are needed.
    const full = (): boolean => items.filter((item) => wanted(item)).length >= query.limit;
    const inOrder = (): boolean =>
      items.every((item, i) => {
        const before = items[i - 1];
        return !before || comparePlaces(placeOf(kind, before), placeOf(kind, item)) <= 0;
      });
    const all = (): boolean => false;
    let atEnd = await read(kind.timeMs ? full : all);
    if (!atEnd && !inOrder()) atEnd = await read(all);
    return pageOf(
      kind,
      items.filter((item) => wanted(item)),
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
  async *everyPosition(
    who: LoginQuery,
    query: Pick<ListQuery, 'symbol'>,
    context: Context,
  ): AsyncGenerator<readonly Position[], void, undefined> {
    const clock = await this.#clock.get(context);
    const wanted = filterOf(POSITIONS, { ...query, limit: 0 }, undefined);
    const { parts, isAsked } = await this.#many.of([{ path: 'position/get_batch' }], who, context);
    for await (const [all = []] of parts)
      for await (const rows of inParts(all))
        yield rows.map((row) => POSITIONS.decode(row, clock)).filter((item) => isAsked(item.login) && wanted(item));
  }

  async #pageOfMany<Item extends TradeItem>(
    kind: ListKind<Item>,
    who: LoginQuery,
    query: ListQuery,
    context: Context,
  ): Promise<Page<Item>> {
    const after = placeAfter(kind, query.cursor);
    const clock = await this.#clock.get(context);
    const wanted = filterOf(kind, query, after);
    const window = this.#window(kind, query, clock, undefined);
    const batch = { path: `${kind.wire}/get_batch` } as const;
    const size = this.#batchSize(kind, query);
    const isWide = who.group !== undefined && context.caller.logins === undefined && size > 1;
    const whole = isWide ? await this.#many.whole(batch, who.group, window, context) : undefined;
    if (whole) {
      const items: Item[] = [];
      for await (const rows of inParts(whole))
        items.push(...rows.map((row) => kind.decode(row, clock)).filter((item) => wanted(item)));
      return pageOf(kind, items, query.limit, true);
    }
    const logins = await resolveLogins(this.#broker, who, context);
    // The login in whose middle the last page ended goes on from there.
    const rest = after ? logins.filter((login) => login >= after[0]) : logins;
    if (size === 1) return this.#loginByLogin(kind, rest, after, query, context);
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
      atEnd = items.length <= query.limit;
      if (!atEnd) break;
    }
    return pageOf(kind, items, query.limit, atEnd);
  }

  /** Long windows: a page of each login as far as needed, instead of whole years of all. */
  async #loginByLogin<Item extends TradeItem>(
    kind: ListKind<Item>,
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
    return pageOf(kind, items, query.limit, true);
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
    clock: BrokerClock,
    afterMs: number | undefined,
  ): Query {
    if (!kind.timeMs) return [];
    const fromMs = Math.max(query.from ?? EARLIEST_MS, afterMs ?? 0);
    const toMs = query.to ?? this.#now() + DAY_MS;
    return [
      ['from', String(Math.floor(clock.toServerMs(fromMs) / 1000))],
      ['to', String(Math.ceil(clock.toServerMs(toMs) / 1000))],
    ];
  }
}

const placeOf = <Item extends TradeItem>(kind: ListKind<Item>, item: Item): Place => [
  item.login,
  kind.timeMs?.(item) ?? 0,
  item.ticket,
];

/** Whether an item belongs on the page: behind the last one, in the window, of the symbol. */
function filterOf<Item extends TradeItem>(
  kind: ListKind<Item>,
  { symbol, from = -Infinity, to = Infinity }: ListQuery,
  after: Place | undefined,
): (item: Item) => boolean {
  const mask = symbol === undefined ? undefined : parseMask(symbol);
  return (item) => {
    if (after && comparePlaces(placeOf(kind, item), after) <= 0) return false;
    const timeMs = kind.timeMs?.(item);
    if (timeMs !== undefined && (timeMs < from || timeMs >= to)) return false;
    return mask === undefined || (item.symbol !== null && mask.matches(item.symbol));
  };
}

function placeAfter<Item extends TradeItem>(kind: ListKind<Item>, cursor: string | undefined): Place | undefined {
  return decodeCursor(kind.wire, ['number', 'number', 'string'], cursor) as Place | undefined;
}

/** The page: in order, no ticket twice (rows move between pages while they are read), at most `limit`. */
function pageOf<Item extends TradeItem>(
  kind: ListKind<Item>,
  items: readonly Item[],
  limit: number,
  atEnd: boolean,
): Page<Item> {
  const byTicket = new Map(items.map((item) => [item.ticket, item]));
  const ordered = [...byTicket.values()].sort((a, b) => comparePlaces(placeOf(kind, a), placeOf(kind, b)));
  const page = ordered.slice(0, limit);
  const last = page.at(-1);
  const more = ordered.length > limit || !atEnd;
  return { items: page, nextCursor: more && last ? encodeCursor(kind.wire, placeOf(kind, last)) : null };
}
