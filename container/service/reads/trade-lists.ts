import { parseMask } from '../../contract/masks.ts';
import { deal, order, position } from '../../contract/schemas/trade.ts';
import type { Deal, Order, Position } from '../../contract/schemas/trade.ts';
import type { WireObject } from '../../webapi/fields.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import { decodeObject } from '../broker/decode.ts';
import type { ListOrder, Ordering, Page, Place } from './list-order.ts';

/** The four lists of trades: how each is decoded, ordered, filtered and cut into pages. */

export interface ListQuery extends Ordering {
  readonly symbol?: string | undefined;
  /** Ticket of the position that an order or deal belongs to. */
  readonly position?: string | undefined;
  /** Ticket of the order that a deal came of. */
  readonly order?: string | undefined;
  readonly entry?: string | undefined;
  /** The caller's own id. */
  readonly clientReference?: string | undefined;
  /** UTC ms, from inclusive, to exclusive; for history and deals. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface TradeItem {
  readonly login: number;
  readonly ticket: string;
  readonly symbol: string | null;
  readonly position?: string | null;
  readonly order?: string | null;
  readonly entry?: string | null;
  readonly clientReference: string | null;
}

export interface ListKind<Item extends TradeItem> {
  readonly wire: 'order' | 'history' | 'deal' | 'position';
  readonly decode: (object: WireObject, clock: BrokerClock) => Item;
  /** Where the list has a time window: the time that it goes by, UTC ms. */
  readonly timeMs?: (item: Item) => number;
}

export const POSITIONS: ListKind<Position> = {
  wire: 'position',
  decode: (object, clock) => decodeObject(position, object, clock),
};
export const ORDERS: ListKind<Order> = { wire: 'order', decode: (object, clock) => decodeObject(order, object, clock) };
export const HISTORY: ListKind<Order> = {
  wire: 'history',
  decode: ORDERS.decode,
  timeMs: (item) => item.doneAtMs ?? item.setupAtMs ?? 0,
};
export const DEALS: ListKind<Deal> = {
  wire: 'deal',
  decode: (object, clock) => decodeObject(deal, object, clock),
  timeMs: (item) => item.executedAtMs ?? 0,
};

export const placeOf = <Item extends TradeItem>(kind: ListKind<Item>, item: Item): Place => [
  item.login,
  kind.timeMs?.(item) ?? 0,
  item.ticket,
];

/** Whether an item belongs on the page: behind the last one, in the window, and what is asked for. */
export function filterOf<Item extends TradeItem>(
  kind: ListKind<Item>,
  { symbol, position, order: orderTicket, entry, clientReference, from = -Infinity, to = Infinity }: ListQuery,
  order: ListOrder,
  after: Place | undefined,
): (item: Item) => boolean {
  const mask = symbol === undefined ? undefined : parseMask(symbol);
  return (item) => {
    if (after && order.compare(placeOf(kind, item), after) <= 0) return false;
    const timeMs = kind.timeMs?.(item);
    if (timeMs !== undefined && (timeMs < from || timeMs >= to)) return false;
    if (position !== undefined && item.position !== position) return false;
    if (orderTicket !== undefined && item.order !== orderTicket) return false;
    if (entry !== undefined && item.entry !== entry) return false;
    if (clientReference !== undefined && item.clientReference !== clientReference) return false;
    return mask === undefined || (item.symbol !== null && mask.matches(item.symbol));
  };
}

/** What `get_page` brought, decoded once: more rows come behind those that were there, or before them. */
export class RowsInOrder<Item> {
  readonly #decode: (row: WireObject) => Item;
  readonly #backwards: boolean;
  items: Item[] = [];

  constructor(decode: (row: WireObject) => Item, backwards: boolean) {
    this.#decode = decode;
    this.#backwards = backwards;
  }

  begin(): void {
    this.items = [];
  }

  take(rows: readonly WireObject[]): void {
    const known = this.items.length;
    const fresh = this.#backwards ? rows.slice(0, rows.length - known) : rows.slice(known);
    const decoded = fresh.map((row) => this.#decode(row));
    this.items = this.#backwards ? [...decoded, ...this.items] : [...this.items, ...decoded];
  }
}

/** The page: in order, no ticket twice (rows move between pages while they are read), at most `limit`. */
export function pageOf<Item extends TradeItem>(
  kind: ListKind<Item>,
  order: ListOrder,
  items: readonly Item[],
  limit: number,
  atEnd: boolean,
): Page<Item> {
  const byTicket = new Map(items.map((item) => [item.ticket, item]));
  const ordered = [...byTicket.values()].sort((a, b) => order.compare(placeOf(kind, a), placeOf(kind, b)));
  const page = ordered.slice(0, limit);
  const last = page.at(-1);
  const more = ordered.length > limit || !atEnd;
  return { items: page, nextCursor: more && last ? order.cursorAt(placeOf(kind, last)) : null };
}
