import {
  cancelOrder,
  cancelOrders,
  closePosition,
  closePositionBy,
  closePositions,
  modifyOrder,
  modifyPosition,
  placeOrder,
  type tradingRoutes,
} from '../../contract/routes/trading.ts';
import type { AnswerOf } from '../../contract/route.ts';
import { Fields, isWireObject, payload, wireInteger, type WireObject } from '../../webapi/fields.ts';
import type { Upstream } from '../../session/upstream.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import type { Broker } from '../broker/broker.ts';
import { toBridgeError } from '../broker/upstream-errors.ts';
import { handle, type RouteAnswer, type RouteContext, type HandlersOf } from '../handler.ts';
import type { TradeBooks } from './books.ts';
import { answeredItem, refusedItem, settleBulk, type BulkItem } from './bulk.ts';
import type { DealerRead } from './dealer-desk.ts';
import type { DealerDesks } from './dealer-desks.ts';
import { priceFields, type MarketOrderPrice, type PriceFields } from './market-price.ts';
import {
  requireKey,
  type Mutation,
  type OperationRunner,
  type RequestIdentity,
  type SendHooks,
} from './operation-runner.ts';
import type { Settlement } from './settlement.ts';
import { TradeChecks, type Input, type Ticket } from './trade-checks.ts';
import { READ_BACK_MS, readBack, refusedAtDesk, settleTrade, type Traded } from './trade-result.ts';

/** Positions or orders of one bulk request that are on their way at once. */
const BULK_AT_ONCE = 8;

export interface TradingParts {
  readonly runner: OperationRunner;
  readonly desks: DealerDesks;
  readonly books: TradeBooks;
  readonly broker: Broker;
  readonly upstream: Upstream;
  readonly clock: ClockSource;
  readonly marketOrderPrice: MarketOrderPrice;
  readonly now: () => number;
}

/** What the answer shows beside the dealer's result: the order and its deals as the books have them, or nothing. */
type Shows = 'books' | 'nothing';
type TradeAnswer = RouteAnswer<AnswerOf<typeof placeOrder>>;
type BulkAnswer = RouteAnswer<AnswerOf<typeof closePositions>>;
type WriteRoute = (typeof tradingRoutes)[number];

/** Orders and positions, through the one dealer connection. */
export class TradingService {
  readonly #parts: TradingParts;
  readonly #checks: TradeChecks;

  constructor(parts: TradingParts) {
    this.#parts = parts;
    this.#checks = new TradeChecks(parts.books, parts.now);
  }

  handlers(): HandlersOf<WriteRoute> {
    const checks = this.#checks;
    return {
      ...handle(placeOrder, (input, context) =>
        this.#run(placeOrder.id, input, context, () => checks.place(input, context)),
      ),
      ...handle(modifyOrder, (input, context) =>
        this.#run(modifyOrder.id, input, context, () => checks.modifyOrder(input, context)),
      ),
      ...handle(cancelOrder, (input, context) => this.#cancel(input, context)),
      ...handle(modifyPosition, (input, context) =>
        this.#run(modifyPosition.id, input, context, () => checks.modifyPosition(input, context)),
      ),
      ...handle(closePosition, (input, context) => this.#close(input, context)),
      ...handle(closePositionBy, (input, context) =>
        this.#run(closePositionBy.id, input, context, () => checks.closeBy(input, context)),
      ),
      ...handle(closePositions, (input, context) => this.#closeAll(input, context)),
      ...handle(cancelOrders, (input, context) => this.#cancelAll(input, context)),
    };
  }

  #cancel(input: Input<typeof cancelOrder>, context: RouteContext): Promise<TradeAnswer> {
    return this.#run(cancelOrder.id, input, context, () => this.#checks.cancel(input, context));
  }

  #close(input: Input<typeof closePosition>, context: RouteContext): Promise<TradeAnswer> {
    return this.#run(closePosition.id, input, context, () => this.#checks.close(input, context));
  }

  async #run(
    routeId: string,
    input: { params: unknown; query: { dryRun: boolean } },
    context: RouteContext,
    check: () => Promise<Ticket>,
  ): Promise<TradeAnswer> {
    if (input.query.dryRun) return this.#dryRun(await check(), context);
    const identity: RequestIdentity = { routeId, params: input.params, query: {}, bodyText: context.bodyText };
    return this.#parts.runner.run(context, identity, async () =>
      this.#mutation(await check(), context.prefersMinimal ? 'nothing' : 'books'),
    );
  }

  #mutation(ticket: Ticket, shows: Shows): Mutation<Traded> {
    return {
      kind: ticket.kind,
      login: ticket.login,
      trading: true,
      reserve: ticket.reserve,
      request: ticket.effect,
      send: (hooks) => this.#send(ticket, shows, hooks),
    };
  }

  async #send(ticket: Ticket, shows: Shows, hooks: SendHooks): Promise<Settlement<Traded>> {
    const { desks, books, now } = this.#parts;
    let result;
    try {
      result = await desks.execute(
        ticket.login,
        async (read) => ({ ...ticket.request(hooks.tag), ...(await this.#price(ticket, read, hooks)) }),
        hooks,
      );
    } catch (error) {
      return refusedAtDesk(error, ticket.what);
    }
    const order = {
      what: ticket.what,
      status: ticket.effect.status,
      ...(ticket.volume === undefined ? {} : { volume: ticket.volume }),
    };
    return settleTrade(result, order, async (answer) => {
      if (shows === 'nothing') return {};
      return ticket.shows === 'order' ? readBack(books, answer, now()) : this.#positionBack(answer);
    });
  }

  async #price(ticket: Ticket, read: DealerRead, hooks: SendHooks): Promise<PriceFields | undefined> {
    const { broker, clock, marketOrderPrice: name } = this.#parts;
    return ticket.pricing && priceFields(ticket.pricing, read, { broker, clock, context: hooks, name });
  }

  async #positionBack(answer: Fields): Promise<Traded> {
    const { books, now } = this.#parts;
    const context = { deadlineAtMs: now() + READ_BACK_MS, signal: new AbortController().signal };
    try {
      const found = await books.optional(books.position(answer.text('Position') ?? '', context));
      return { position: await books.asPosition(found, context) };
    } catch {
      return { position: null };
    }
  }

  async #dryRun(ticket: Ticket, context: RouteContext): Promise<TradeAnswer> {
    const { margin, pricing } = ticket;
    const { broker, upstream, clock, marketOrderPrice: name } = this.#parts;
    const read: DealerRead = (command) => upstream.read(command, context);
    // Nothing is sent, so that no dealer's connection is needed.
    const priced =
      pricing &&
      (await priceFields(pricing, read, { broker, clock, context, name }).catch((error: unknown) => {
        throw toBridgeError(error);
      }));
    const request = { ...ticket.request('(tag)'), ...priced };
    if (!margin) return { status: 200, body: { dryRun: { request, margin: null } } };
    const query = [
      ['login', String(ticket.login)],
      ['symbol', margin.symbol],
      ['type', margin.type],
      ['volume', margin.volume],
      ['price', margin.price ?? priced?.PriceOrder ?? '0'],
    ] as const;
    const { body } = await this.#parts.broker.read('trade/check_margin', query, context);
    const fields = new Fields(asObject(payload(body)));
    const checked = { current: asObject(fields.take('current')), after: asObject(fields.take('new')) };
    return { status: 200, body: { dryRun: { request, margin: checked } } };
  }

  // ── Many at once ──────────────────────────────────────────────────────────────────────────────────────────────────

  async #closeAll(input: Input<typeof closePositions>, context: RouteContext): Promise<BulkAnswer> {
    const { params, query, body } = input;
    const find = async (): Promise<string[]> =>
      (await this.#parts.books.positions(params.login, context))
        .map((object) => new Fields(object))
        .filter((fields) => body.symbol === undefined || fields.text('Symbol') === body.symbol)
        .filter((fields) => body.side === undefined || (fields.integer('Action') === 0) === (body.side === 'buy'))
        .flatMap((fields) => fields.text('Position') ?? []);
    const one = (ticket: string, single: RouteContext): Promise<TradeAnswer> =>
      this.#close({ params: { ticket }, query, body: {}, decimals: input.decimals }, single);
    return this.#bulk({ routeId: closePositions.id, kind: 'positions.close', input, find, one }, context);
  }

  async #cancelAll(input: Input<typeof cancelOrders>, context: RouteContext): Promise<BulkAnswer> {
    const { params, query, body } = input;
    const fits = (fields: Fields): boolean => {
      const type = wireInteger(fields.text('Type')) ?? 0;
      const kind = { 2: 'limit', 3: 'limit', 4: 'stop', 5: 'stop', 6: 'stop_limit', 7: 'stop_limit' }[type];
      return (
        kind !== undefined &&
        (body.symbol === undefined || fields.text('Symbol') === body.symbol) &&
        (body.side === undefined || (type % 2 === 0) === (body.side === 'buy')) &&
        (body.type === undefined || kind === body.type)
      );
    };
    const find = async (): Promise<string[]> =>
      (await this.#parts.books.openOrders(params.login, context))
        .map((object) => new Fields(object))
        .filter(fits)
        .flatMap((fields) => fields.text('Order') ?? []);
    const one = (ticket: string, single: RouteContext): Promise<TradeAnswer> =>
      this.#cancel({ params: { ticket }, query, body: undefined, decimals: input.decimals }, single);
    return this.#bulk({ routeId: cancelOrders.id, kind: 'orders.cancel', input, find, one }, context);
  }

  /** One operation for the whole, one under `key/ticket` for each. */
  async #bulk(bulk: Bulk, context: RouteContext): Promise<BulkAnswer> {
    const { routeId, kind, input } = bulk;
    const key = requireKey(context);
    if (input.query.dryRun)
      return { status: 200, body: { items: [...(await this.#each(bulk, await bulk.find(), key, context))] } };
    const identity: RequestIdentity = { routeId, params: input.params, query: {}, bodyText: context.bodyText };
    return this.#parts.runner.run(context, identity, async () => {
      const tickets = await bulk.find();
      const { login } = input.params;
      return {
        kind,
        login,
        trading: false,
        request: { effect: 'bulk', login, tickets, status: 200, sentBeforeMs: context.deadlineAtMs },
        send: async (hooks) => {
          // From here on the single operations tell for themselves what was sent.
          hooks.onDispatch();
          return settleBulk(await this.#each(bulk, tickets, key, context));
        },
      };
    });
  }

  async #each(
    bulk: Bulk,
    tickets: readonly string[],
    key: string,
    context: RouteContext,
  ): Promise<readonly BulkItem[]> {
    const items: BulkItem[] = [];
    const one = async (ticket: string): Promise<BulkItem> => {
      try {
        return answeredItem(ticket, await bulk.one(ticket, { ...context, idempotencyKey: `${key}/${ticket}` }));
      } catch (error) {
        return refusedItem(ticket, error, context.requestId);
      }
    };
    for (let at = 0; at < tickets.length; at += BULK_AT_ONCE)
      items.push(...(await Promise.all(tickets.slice(at, at + BULK_AT_ONCE).map(one))));
    return items;
  }
}

interface Bulk {
  readonly routeId: string;
  readonly kind: string;
  readonly input: { readonly params: { readonly login: number }; readonly query: { readonly dryRun: boolean } };
  find(): Promise<string[]>;
  one(ticket: string, context: RouteContext): Promise<TradeAnswer>;
}

const asObject = (value: unknown): WireObject => (isWireObject(value as WireObject) ? (value as WireObject) : {});
