import {
  cancelOrder,
  closePosition,
  closePositionBy,
  modifyOrder,
  modifyPosition,
  placeOrder,
  type tradingRoutes,
} from '../../contract/routes/trading.ts';
import type { AnswerOf } from '../../contract/route.ts';
import { Fields, isWireObject, payload, type WireObject } from '../../webapi/fields.ts';
import type { Upstream } from '../../session/upstream.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import type { Broker } from '../broker/broker.ts';
import { toBridgeError } from '../broker/upstream-errors.ts';
import { handle, type RouteAnswer, type RouteContext, type HandlersOf } from '../handler.ts';
import type { TradeBooks } from './books.ts';
import type { DealerRead } from './dealer-desk.ts';
import type { DealerDesks } from './dealer-desks.ts';
import { priceFields, type MarketOrderPrice, type PriceFields } from './market-price.ts';
import type { Mutation, OperationRunner, RequestIdentity, SendHooks } from './operation-runner.ts';
import type { Settlement } from './settlement.ts';
import { TradeChecks, type Input, type Ticket } from './trade-checks.ts';
import { READ_BACK_MS, readBack, refusedAtDesk, settleTrade, type Traded } from './trade-result.ts';

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
export type TradeAnswer = RouteAnswer<AnswerOf<typeof placeOrder>>;
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
      ...handle(cancelOrder, (input, context) => this.cancel(input, context)),
      ...handle(modifyPosition, (input, context) =>
        this.#run(modifyPosition.id, input, context, () => checks.modifyPosition(input, context)),
      ),
      ...handle(closePosition, (input, context) => this.close(input, context)),
      ...handle(closePositionBy, (input, context) =>
        this.#run(closePositionBy.id, input, context, () => checks.closeBy(input, context)),
      ),
    };
  }

  cancel(input: Input<typeof cancelOrder>, context: RouteContext): Promise<TradeAnswer> {
    return this.#run(cancelOrder.id, input, context, () => this.#checks.cancel(input, context));
  }

  close(input: Input<typeof closePosition>, context: RouteContext): Promise<TradeAnswer> {
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
}

const asObject = (value: unknown): WireObject => (isWireObject(value as WireObject) ? (value as WireObject) : {});
