import {
  cancelOrders,
  cancelOrdersOfMany,
  closePositions,
  closePositionsOfMany,
  liquidateAccount,
  MAX_BULK,
  type bulkRoutes,
} from '../../contract/routes/bulk.ts';
import { BridgeError } from '../../contract/errors.ts';
import type { AnswerOf, RouteInput } from '../../contract/route.ts';
import type { Fields } from '../../webapi/fields.ts';
import { handle, type HandlersOf, type RouteAnswer, type RouteContext } from '../handler.ts';
import type { AccountsAdmin } from './accounts-admin.ts';
import type { TradeBooks } from './books.ts';
import type { OwnWords } from '../broker/own-comment.ts';
import { answeredItem, DISABLE, refusedItem, settleBulk, type BulkItem } from './bulk.ts';
import {
  isOrderWanted,
  isPositionWanted,
  type OpenAsked,
  type OpenRows,
  type OrderFilter,
  type PositionFilter,
} from './open-rows.ts';
import { requireKey, type OperationRunner, type RequestIdentity, type SendHooks } from './operation-runner.ts';
import type { TradingService } from './trading-service.ts';

/** Parts of one bulk request that are on their way at once. */
const AT_ONCE = 8;

export interface BulkParts {
  readonly runner: OperationRunner;
  readonly books: TradeBooks;
  readonly open: OpenRows;
  readonly trading: TradingService;
  readonly accounts: AccountsAdmin;
  readonly now: () => number;
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
  /** Of one account; `null` = of many. */
  readonly login: number | null;
  readonly input: { readonly params: unknown; readonly query: { readonly dryRun: boolean } };
  /** Steps, one after another, of parts that go side by side. */
  readonly find: () => Promise<readonly (readonly Part[])[]>;
  /** After all of them, whatever became of them. */
  readonly last?: Part;
}

type PositionsAsked = PositionFilter & OpenAsked & OwnWords;
type OrdersAsked = OrderFilter & OpenAsked;
type Query = { readonly dryRun: boolean };

/** Many positions and orders at once: one operation for the whole, one for each. */
export class BulkWrites {
  readonly #parts: BulkParts;

  constructor(parts: BulkParts) {
    this.#parts = parts;
  }

  handlers(): HandlersOf<(typeof bulkRoutes)[number]> {
    const run = (
      routeId: string,
      kind: string,
      input: { readonly params: { readonly login?: number }; readonly query: Query },
      context: RouteContext,
      find: () => Promise<readonly Part[]>,
    ): Promise<BulkAnswer> =>
      this.#run({ routeId, kind, login: input.params.login ?? null, input, find: async () => [await find()] }, context);
    return {
      ...handle(closePositions, (input, context) =>
        run(closePositions.id, 'positions.close', input, context, () =>
          this.#positions({ ...input.body, logins: [input.params.login] }, input.query, context),
        ),
      ),
      ...handle(cancelOrders, (input, context) =>
        run(cancelOrders.id, 'orders.cancel', input, context, () =>
          this.#orders({ ...input.body, logins: [input.params.login] }, input.query, context),
        ),
      ),
      ...handle(closePositionsOfMany, (input, context) =>
        run(closePositionsOfMany.id, 'positions.close', input, context, () =>
          this.#positions(input.body, input.query, context),
        ),
      ),
      ...handle(cancelOrdersOfMany, (input, context) =>
        run(cancelOrdersOfMany.id, 'orders.cancel', input, context, () =>
          this.#orders(input.body, input.query, context),
        ),
      ),
      ...handle(liquidateAccount, (input, context) => this.#liquidate(input, context)),
    };
  }

  async #liquidate(input: RouteInput<typeof liquidateAccount>, context: RouteContext): Promise<BulkAnswer> {
    const { params } = input;
    const { login } = params;
    const all = { logins: [login] };
    // Orders first: one that triggers meanwhile would open a position.
    const find = async (): Promise<readonly (readonly Part[])[]> => {
      await this.#parts.books.user(login, context);
      return [
        await this.#orders(all, input.query, context),
        await this.#positions({ ...all, ...input.body }, input.query, context),
      ];
    };
    const disable: Part = {
      ticket: DISABLE,
      write: async (single) => {
        if (!input.query.dryRun) await this.#parts.books.requireFlat(login, single);
        return this.#parts.accounts.disable({ params, query: input.query, body: {}, decimals: input.decimals }, single);
      },
    };
    return this.#run(
      { routeId: liquidateAccount.id, kind: 'account.liquidate', login, input, find, last: disable },
      context,
    );
  }

  async #positions(asked: PositionsAsked, query: Query, context: RouteContext): Promise<readonly Part[]> {
    const rows = await this.#parts.open.positions(asked, context);
    const words = { comment: asked.comment, clientReference: asked.clientReference };
    return partsOf(
      rows.filter((row) => isPositionWanted(row, asked)),
      'Position',
      (ticket, single) =>
        this.#parts.trading.close({ params: { ticket }, query, body: words, decimals: 'string' }, single),
    );
  }

  async #orders(asked: OrdersAsked, query: Query, context: RouteContext): Promise<readonly Part[]> {
    const rows = await this.#parts.open.orders(asked, context);
    return partsOf(
      rows.filter((row) => isOrderWanted(row, asked)),
      'Order',
      (ticket, single) =>
        this.#parts.trading.cancel({ params: { ticket }, query, body: undefined, decimals: 'string' }, single),
    );
  }

  async #run(bulk: Bulk, context: RouteContext): Promise<BulkAnswer> {
    const { routeId, kind, login, input, last } = bulk;
    const key = requireKey(context);
    if (input.query.dryRun)
      return { status: 200, body: { items: [...(await this.#each(await bulk.find(), last, key, context))] } };
    const identity: RequestIdentity = { routeId, params: input.params, query: {}, bodyText: context.bodyText };
    return this.#parts.runner.run(context, identity, async () => {
      const steps = await bulk.find();
      const tickets = [...steps.flat(), ...(last ? [last] : [])].map(({ ticket }) => ticket);
      return {
        kind,
        login,
        trading: false,
        request: { effect: 'bulk', login, tickets, status: 200, sentBeforeMs: context.deadlineAtMs },
        send: async (hooks) => {
          // From here on the single operations tell for themselves what was sent.
          hooks.onDispatch();
          return settleBulk(await this.#each(steps, last, key, behind(context, hooks, this.#parts.now)));
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

/** @throws BridgeError `invalid_field` for too many */
function partsOf(
  rows: readonly Fields[],
  name: 'Position' | 'Order',
  write: (ticket: string, context: RouteContext) => Promise<RouteAnswer>,
): readonly Part[] {
  const tickets = rows.flatMap((row) => row.text(name) ?? []);
  if (tickets.length > MAX_BULK)
    throw new BridgeError('invalid_field', {
      detail: `body: ${tickets.length} fit; at most ${MAX_BULK} are done at once.`,
      field: 'body',
      expected: `what at most ${MAX_BULK} fit: a narrower group, a symbol, a side`,
    });
  return tickets.map((ticket) => ({ ticket, write: (context) => write(ticket, context) }));
}

/**
 * What was begun is gone through with, whoever still waits: each part has as long as the whole request had, and none
 * begins after the operation's own time.
 */
function behind(context: RouteContext, { deadlineAtMs, signal }: SendHooks, now: () => number): RouteContext {
  const spanMs = Math.max(0, context.deadlineAtMs - now());
  return {
    ...context,
    signal,
    get deadlineAtMs() {
      return Math.min(deadlineAtMs, now() + spanMs);
    },
  };
}
