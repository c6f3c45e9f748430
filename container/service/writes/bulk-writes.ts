import { cancelOrders, closePositions, liquidateAccount, type bulkRoutes } from '../../contract/routes/bulk.ts';
import type { AnswerOf } from '../../contract/route.ts';
import { Fields, wireInteger } from '../../webapi/fields.ts';
import { handle, type HandlersOf, type RouteAnswer, type RouteContext } from '../handler.ts';
import type { AccountsAdmin } from './accounts-admin.ts';
import type { TradeBooks } from './books.ts';
import { answeredItem, DISABLE, refusedItem, settleBulk, type BulkItem } from './bulk.ts';
import { requireKey, type OperationRunner, type RequestIdentity } from './operation-runner.ts';
import type { Input } from './trade-checks.ts';
import type { TradingService } from './trading-service.ts';

/** Parts of one bulk request that are on their way at once. */
const AT_ONCE = 8;

export interface BulkParts {
  readonly runner: OperationRunner;
  readonly books: TradeBooks;
  readonly trading: TradingService;
  readonly accounts: AccountsAdmin;
}

type BulkAnswer = RouteAnswer<AnswerOf<typeof closePositions>>;

/** A step of a bulk request: what the single request would have answered. */
interface Part {
  /** Its ticket: it is the operation `key/ticket`. */
  readonly ticket: string;
  readonly write: (context: RouteContext) => Promise<RouteAnswer>;
}

interface Bulk {
  readonly routeId: string;
  readonly kind: string;
  readonly input: { readonly params: { readonly login: number }; readonly query: { readonly dryRun: boolean } };
  /** Steps, one after another, of parts that go side by side. */
  readonly find: () => Promise<readonly (readonly Part[])[]>;
  /** After all of them, whatever became of them. */
  readonly last?: Part;
}

/** Many positions and orders at once: one operation for the whole, one for each. */
export class BulkWrites {
  readonly #parts: BulkParts;

  constructor(parts: BulkParts) {
    this.#parts = parts;
  }

  handlers(): HandlersOf<(typeof bulkRoutes)[number]> {
    return {
      ...handle(closePositions, (input, context) =>
        this.#run(
          {
            routeId: closePositions.id,
            kind: 'positions.close',
            input,
            find: async () => [await this.#positions(input, context)],
          },
          context,
        ),
      ),
      ...handle(cancelOrders, (input, context) =>
        this.#run(
          {
            routeId: cancelOrders.id,
            kind: 'orders.cancel',
            input,
            find: async () => [await this.#orders(input, context)],
          },
          context,
        ),
      ),
      ...handle(liquidateAccount, (input, context) => this.#liquidate(input, context)),
    };
  }

  async #liquidate(input: Input<typeof liquidateAccount>, context: RouteContext): Promise<BulkAnswer> {
    const { params } = input;
    const all = { ...input, body: {} };
    // Orders first: one that triggers meanwhile would open a position.
    const find = async (): Promise<readonly (readonly Part[])[]> => {
      await this.#parts.books.user(params.login, context);
      return [await this.#orders(all, context), await this.#positions(all, context)];
    };
    const disable: Part = {
      ticket: DISABLE,
      write: async (single) => {
        if (!input.query.dryRun) await this.#parts.books.requireFlat(params.login, single);
        return this.#parts.accounts.disable({ params, query: input.query, body: {}, decimals: input.decimals }, single);
      },
    };
    return this.#run({ routeId: liquidateAccount.id, kind: 'account.liquidate', input, find, last: disable }, context);
  }

  async #positions(input: Input<typeof closePositions>, context: RouteContext): Promise<readonly Part[]> {
    const { params, query, body, decimals } = input;
    return (await this.#parts.books.positions(params.login, context))
      .map((object) => new Fields(object))
      .filter((fields) => body.symbol === undefined || fields.text('Symbol') === body.symbol)
      .filter((fields) => body.side === undefined || (fields.integer('Action') === 0) === (body.side === 'buy'))
      .flatMap((fields) => fields.text('Position') ?? [])
      .map((ticket) => ({
        ticket,
        write: (single) => this.#parts.trading.close({ params: { ticket }, query, body: {}, decimals }, single),
      }));
  }

  async #orders(input: Input<typeof cancelOrders>, context: RouteContext): Promise<readonly Part[]> {
    const { params, query, body, decimals } = input;
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
    return (await this.#parts.books.openOrders(params.login, context))
      .map((object) => new Fields(object))
      .filter(fits)
      .flatMap((fields) => fields.text('Order') ?? [])
      .map((ticket) => ({
        ticket,
        write: (single) => this.#parts.trading.cancel({ params: { ticket }, query, body: undefined, decimals }, single),
      }));
  }

  async #run(bulk: Bulk, context: RouteContext): Promise<BulkAnswer> {
    const { routeId, kind, input, last } = bulk;
    const key = requireKey(context);
    if (input.query.dryRun)
      return { status: 200, body: { items: [...(await this.#each(await bulk.find(), last, key, context))] } };
    const identity: RequestIdentity = { routeId, params: input.params, query: {}, bodyText: context.bodyText };
    return this.#parts.runner.run(context, identity, async () => {
      const steps = await bulk.find();
      const { login } = input.params;
      const tickets = [...steps.flat(), ...(last ? [last] : [])].map(({ ticket }) => ticket);
      return {
        kind,
        login,
        trading: false,
        request: { effect: 'bulk', login, tickets, status: 200, sentBeforeMs: context.deadlineAtMs },
        send: async (hooks) => {
          // From here on the single operations tell for themselves what was sent.
          hooks.onDispatch();
          return settleBulk(await this.#each(steps, last, key, context));
        },
      };
    });
  }

  async #each(
    steps: readonly (readonly Part[])[],
    last: Part | undefined,
    key: string,
    context: RouteContext,
  ): Promise<readonly BulkItem[]> {
    const items: BulkItem[] = [];
    const one = async ({ ticket, write }: Part): Promise<BulkItem> => {
      try {
        return answeredItem(ticket, await write({ ...context, idempotencyKey: `${key}/${ticket}` }));
      } catch (error) {
        return refusedItem(ticket, error, context.requestId);
      }
    };
    for (const step of steps)
      for (let at = 0; at < step.length; at += AT_ONCE)
        items.push(...(await Promise.all(step.slice(at, at + AT_ONCE).map(one))));
    if (last) items.push(await one(last));
    return items;
  }
}
