import { scaledDecimal } from '../../webapi/decimal.ts';
import { Fields, wireInteger, type WireObject } from '../../webapi/fields.ts';
import type { Broker } from '../broker/broker.ts';
import { commaLists } from '../broker/comma-lists.ts';
import type { ManyRows } from '../broker/many-rows.ts';
import type { RouteContext } from '../handler.ts';

/** Whose: of some accounts, of a group mask, or whoever has these tickets. */
export interface OpenAsked {
  readonly logins?: readonly number[] | undefined;
  readonly group?: string | undefined;
  readonly tickets?: readonly string[] | undefined;
}

interface Filter {
  readonly symbol?: string | undefined;
  readonly side?: 'buy' | 'sell' | undefined;
  readonly tickets?: readonly string[] | undefined;
}
export interface PositionFilter extends Filter {
  readonly profitAbove?: string | undefined;
  readonly profitBelow?: string | undefined;
}
export interface OrderFilter extends Filter {
  readonly type?: 'limit' | 'stop' | 'stop_limit' | undefined;
}

/** Open positions and orders of many accounts, whole, for writes about all of them. */
export class OpenRows {
  readonly #broker: Broker;
  readonly #many: ManyRows;

  constructor(parts: { broker: Broker; many: ManyRows }) {
    this.#broker = parts.broker;
    this.#many = parts.many;
  }

  positions = (asked: OpenAsked, context: RouteContext): Promise<readonly Fields[]> =>
    this.#rows('position/get_batch', asked, context);
  orders = (asked: OpenAsked, context: RouteContext): Promise<readonly Fields[]> =>
    this.#rows('order/get_batch', asked, context);

  async #rows(
    path: 'position/get_batch' | 'order/get_batch',
    { logins, group, tickets = [] }: OpenAsked,
    context: RouteContext,
  ): Promise<readonly Fields[]> {
    const rows: WireObject[] = [];
    if (logins === undefined && group === undefined) {
      // Whether the key may touch each, the single write says.
      for (const list of commaLists(tickets))
        rows.push(...(await this.#broker.list(path, [['ticket', list.join(',')]], context)));
      return rows.map((row) => new Fields(row));
    }
    const { parts, isAsked } = await this.#many.of([{ path }], { logins, group }, context);
    for await (const [some = []] of parts) rows.push(...some);
    return rows.map((row) => new Fields(row)).filter((fields) => isAsked(fields.integer('Login') ?? 0));
  }
}

/** Places enough for any amount. */
const PLACES = 20;
const units = (text: string | undefined): bigint => scaledDecimal(text ?? '0', PLACES) ?? 0n;

export function isPositionWanted(fields: Fields, filter: PositionFilter): boolean {
  const { symbol, side, tickets, profitAbove, profitBelow } = filter;
  const profit = units(fields.text('Profit'));
  return (
    (symbol === undefined || fields.text('Symbol') === symbol) &&
    (side === undefined || (fields.integer('Action') === 0) === (side === 'buy')) &&
    (tickets === undefined || tickets.includes(fields.text('Position') ?? '')) &&
    (profitAbove === undefined || profit > units(profitAbove)) &&
    (profitBelow === undefined || profit < units(profitBelow))
  );
}

/** Pending ones only: even types buy (mt5-webapi §3.10 EnOrderType). */
const PENDING = { 2: 'limit', 3: 'limit', 4: 'stop', 5: 'stop', 6: 'stop_limit', 7: 'stop_limit' } as const;

export function isOrderWanted(fields: Fields, { symbol, side, type, tickets }: OrderFilter): boolean {
  const wire = wireInteger(fields.text('Type')) ?? 0;
  const kind = PENDING[wire as keyof typeof PENDING];
  return (
    kind !== undefined &&
    (symbol === undefined || fields.text('Symbol') === symbol) &&
    (side === undefined || (wire % 2 === 0) === (side === 'buy')) &&
    (type === undefined || kind === type) &&
    (tickets === undefined || tickets.includes(fields.text('Order') ?? ''))
  );
}
