import { BridgeError } from '../../contract/errors.ts';
import { isSettled } from '../../state/operation-states.ts';
import type { Operation, StateApi } from '../../state/state-api.ts';
import { plainDecimal } from '../../webapi/decimal.ts';
import { Fields, wireInteger, type WireObject } from '../../webapi/fields.ts';
import type { ReadContext } from '../broker/broker.ts';
import { settleBulk, storedItem } from './bulk.ts';
import { ORDER_STATE, tagOf, type TradeBooks } from './books.ts';
import type { EffectName, OperationRequest, RequestOf } from './operation-request.ts';
import type { Settlement } from './settlement.ts';

/**
 * What one look at the broker's books says of an operation whose outcome is unknown.
 * - `empty`: no trace of it · `wait`: there is something that is not final yet · `unclear`: the books cannot tell
 */
export type Look =
  | { readonly verdict: 'found'; readonly settlement: Exclude<Settlement, { state: 'unknown' }> }
  | { readonly verdict: 'empty' }
  | { readonly verdict: 'wait' }
  | { readonly verdict: 'unclear'; readonly reason: string };

const EMPTY: Look = { verdict: 'empty' };
const WAIT: Look = { verdict: 'wait' };
const found = (status: number, body: Readonly<Record<string, unknown>>): Look => ({
  verdict: 'found',
  settlement: { state: 'done', status, body },
});
const unclear = (reason: string): Look => ({ verdict: 'unclear', reason });

/** Effects are sought from so long before the row was written: clocks of bridge and broker may differ. */
const MARGIN_MS = 600_000;

export interface BookLooksParts {
  readonly books: TradeBooks;
  readonly state: StateApi;
}

type LookFor<Effect extends EffectName> = (
  request: RequestOf<Effect>,
  operation: Operation,
  context: ReadContext,
) => Promise<Look>;

/** Reads orders, deals, positions and accounts for the effect of an operation. Sends nothing. */
export class BookLooks {
  readonly #parts: BookLooksParts;
  #again = 0;

  constructor(parts: BookLooksParts) {
    this.#parts = parts;
  }

  /** @throws BridgeError where the broker cannot be read now */
  look(request: OperationRequest, operation: Operation, context: ReadContext): Promise<Look> {
    const look = this.#looks[request.effect] as LookFor<EffectName>;
    return look(request, operation, context);
  }

  readonly #looks: { readonly [Effect in EffectName]: LookFor<Effect> } = {
    tagged_trade: (request, operation, context) => this.#taggedTrade(request, operation, context),
    tagged_deal: async (request, { tag, createdAtMs }, context) => {
      const { books } = this.#parts;
      const deals = tagged(await books.deals(request.login, createdAtMs - MARGIN_MS, context), tag);
      if (deals.length === 0) return EMPTY;
      const decoded = await books.asDeals(deals, context);
      return found(request.status, { deal: decoded[0]?.ticket ?? null, deals: decoded });
    },
    order_removed: (request, operation, context) => this.#orderRemoved(request, operation, context),
    order_changed: async (request, _operation, context) => {
      const { books } = this.#parts;
      const order = await books.optional(books.openOrder(request.ticket, context));
      if (!order) return unclear(`The order ${request.ticket} is not open any more.`);
      return compared(request, order, async () => ({ order: await books.asOrder(order, context) }));
    },
    position_changed: async (request, _operation, context) => {
      const { books } = this.#parts;
      const position = await books.optional(books.position(request.ticket, context));
      if (!position) return unclear(`The position ${request.ticket} is not open any more.`);
      return compared(request, position, async () => ({ position: await books.asPosition(position, context) }));
    },
    user_changed: async (request, _operation, context) => {
      const user = await this.#parts.books.user(request.login, context);
      return compared(request, user, async () => ({
        login: request.login,
        account: await this.#parts.books.asUser(user, context),
      }));
    },
    user_deleted: async ({ login, status }, _operation, context) => {
      const { books } = this.#parts;
      return (await books.optional(books.user(login, context))) ? EMPTY : found(status, { login, account: null });
    },
    password_changed: async (request, _operation, context) => {
      const user = await this.#parts.books.user(request.login, context);
      const changedAt = new Fields(user).text('LastPassChange') ?? '';
      return changedAt === request.changedAtBefore ? EMPTY : found(request.status, { login: request.login });
    },
    user_created: (request, _operation, context) => this.#userCreated(request, context),
    bulk: (request, operation) => this.#bulk(request, operation),
    untraceable: async () => unclear('This command leaves nothing in the books that names it; look for its effect.'),
  };

  async #taggedTrade(
    request: RequestOf<'tagged_trade'>,
    { tag, createdAtMs }: Operation,
    context: ReadContext,
  ): Promise<Look> {
    const { books } = this.#parts;
    const sinceMs = createdAtMs - MARGIN_MS;
    const [open, history, allDeals] = await Promise.all([
      books.openOrders(request.login, context),
      books.historyOrders(request.login, sinceMs, context),
      books.deals(request.login, sinceMs, context),
    ]);
    const openOrder = tagged(open, tag)[0];
    let order = openOrder ?? tagged(history, tag)[0];
    let deals = tagged(allDeals, tag);
    if (!order && deals.length === 0) return EMPTY;
    // The three were read side by side, and the dealer may have executed between them: what one read shows, the other is
    // asked again for, afterwards.
    if (!order) order = await this.#orderOf(deals[0], context);
    else if (deals.length === 0 && !openOrder)
      deals = tagged(await this.#dealsAgain(request.login, sinceMs, context), tag);
    if (order && deals.length === 0) {
      const fields = new Fields(order);
      const state = wireInteger(fields.text('State'));
      if (openOrder && (!request.pending || state === ORDER_STATE.started)) return WAIT;
      // A market order that left the books untouched was not filled; a pending one had been placed before.
      const untouched = fields.text('VolumeCurrent') === fields.text('VolumeInitial') && state !== ORDER_STATE.filled;
      if (state === ORDER_STATE.rejected || (!openOrder && !request.pending && untouched))
        return {
          verdict: 'found',
          settlement: {
            state: 'refused',
            error: new BridgeError('broker_rejected', 'The broker’s books hold the order as rejected, without a deal.'),
          },
        };
    }
    return found(request.status, {
      order: await books.asOrder(order, context),
      deals: await books.asDeals(deals, context),
    });
  }

  async #orderOf(deal: WireObject | undefined, context: ReadContext): Promise<WireObject | undefined> {
    const { books } = this.#parts;
    const ticket = deal && new Fields(deal).text('Order');
    if (ticket === undefined || !/^[1-9]\d*$/.test(ticket)) return undefined;
    const ended = await books.optional(books.historyOrder(ticket, context));
    return ended ?? books.optional(books.openOrder(ticket, context));
  }

  /** A read of its own: one that is under way for somebody else may be older than what was just seen. */
  #dealsAgain(login: number, sinceMs: number, context: ReadContext): Promise<readonly WireObject[]> {
    this.#again = (this.#again + 1) % 1000;
    return this.#parts.books.deals(login, sinceMs - 1000 * (1 + this.#again), context);
  }

  async #orderRemoved(request: RequestOf<'order_removed'>, _operation: Operation, context: ReadContext): Promise<Look> {
    const { books } = this.#parts;
    if (await books.optional(books.openOrder(request.ticket, context))) return EMPTY;
    const order = await books.optional(books.historyOrder(request.ticket, context));
    if (!order) return unclear(`The order ${request.ticket} is neither open nor in the history.`);
    const state = wireInteger(new Fields(order).text('State'));
    const body = { order: await books.asOrder(order, context) };
    if (state === ORDER_STATE.canceled) return found(request.status, body);
    return {
      verdict: 'found',
      settlement: {
        state: 'refused',
        error: new BridgeError('broker_conflict', `The order ${request.ticket} was filled or ended before.`),
      },
    };
  }

  async #userCreated(request: RequestOf<'user_created'>, context: ReadContext): Promise<Look> {
    const { books } = this.#parts;
    const byLogin = async (login: number): Promise<{ users: readonly WireObject[]; whole: boolean }> => {
      const user = await books.optional(books.user(login, context));
      return { users: user ? [user] : [], whole: true };
    };
    const { users, whole } = await (request.login === null
      ? books.usersOfGroup(request.group, context)
      : byLogin(request.login));
    const fresh = users.filter((user) => {
      const fields = new Fields(user);
      return (
        fields.text('Name') === request.name &&
        fields.text('Group') === request.group &&
        !request.loginsBefore.includes(fields.text('Login') ?? '')
      );
    });
    const [user] = fresh;
    if (!user)
      return whole ? EMPTY : unclear(`${request.group} has more accounts than one answer of the broker holds.`);
    if (fresh.length > 1) return unclear(`Several accounts named alike were opened in ${request.group}.`);
    return found(request.status, {
      login: new Fields(user).integer('Login') ?? null,
      account: await books.asUser(user, context),
    });
  }

  async #bulk(request: RequestOf<'bulk'>, operation: Operation): Promise<Look> {
    const rows = await Promise.all(
      request.tickets.map((ticket) => this.#parts.state.operations.get(operation.caller, `${operation.key}/${ticket}`)),
    );
    if (rows.some((row) => row && !isSettled(row.state))) return WAIT;
    const settlement = settleBulk(request.tickets.map((ticket, i) => storedItem(ticket, rows[i] ?? null)));
    return settlement.state === 'unknown' ? unclear(settlement.reason) : { verdict: 'found', settlement };
  }
}

const tagged = (objects: readonly WireObject[], tag: string): readonly WireObject[] =>
  objects.filter((object) => tagOf(object) === tag);

/** `1.10500` and `1.105` are the same value; so are `GBP` and `GBP`. */
const same = (a: string, b: string): boolean => {
  const plain = (text: string): string => (plainDecimal(text) ?? text).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
  return plain(a) === plain(b);
};

/** The wanted values: it was executed. The earlier values: it was not. Anything else: somebody else changed it. */
async function compared(
  request: RequestOf<'order_changed' | 'position_changed' | 'user_changed'>,
  object: WireObject,
  body: () => Promise<Readonly<Record<string, unknown>>>,
): Promise<Look> {
  const fields = new Fields(object);
  const holds = (values: Readonly<Record<string, string>>): boolean =>
    Object.entries(values).every(([name, value]) => same(fields.text(name) ?? '', value));
  if (holds(request.wanted)) return found(request.status, await body());
  if (holds(request.before)) return EMPTY;
  return unclear('It stands neither as it was nor as was asked for: somebody else changed it.');
}
