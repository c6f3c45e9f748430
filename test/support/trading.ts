import type { BridgeUnderTest } from './bridge.ts';

/** Quick looks and a short horizon: what takes minutes in life takes a second here. */
export const QUICK_SETTLE = { horizonMs: 1200, lookDelaysMs: [20, 150, 300, 600] } as const;
/** A sign-in policy that lets a test lose connections as often as it likes. */
export const QUICK_SIGN_IN = {
  baseMs: 20,
  capMs: 100,
  failedPerMinute: 1000,
  failedPerHour: 10_000,
  allPerMinute: 10_000,
  allPerHour: 10_000,
} as const;

export interface OperationBody {
  readonly key: string;
  readonly kind: string;
  readonly state: string;
  readonly tag: string;
  readonly looks: number;
  readonly detail: string;
  readonly result?: Record<string, unknown>;
}

export interface WriteAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { readonly operation?: OperationBody };
}

/** What trading tests do with a bridge, without saying how. */
export class TradingClient {
  readonly #bridge: Pick<BridgeUnderTest, 'fetch'>;

  constructor(bridge: Pick<BridgeUnderTest, 'fetch'>) {
    this.#bridge = bridge;
  }

  async write(method: string, path: string, body: unknown, key: string, headers = {}): Promise<WriteAnswer> {
    const response = await this.#bridge.fetch(path, {
      method,
      headers: {
        'idempotency-key': key,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as WriteAnswer['body'],
    };
  }

  order(key: string, changes: Record<string, unknown> = {}): Promise<WriteAnswer> {
    const order = { login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.01', ...changes };
    return this.write('POST', '/v1/orders', order, key);
  }

  balance(key: string, amount: string, login = 1001): Promise<WriteAnswer> {
    return this.write('POST', `/v1/accounts/${login}/balance`, { kind: 'balance', amount }, key);
  }

  async operation(key: string): Promise<OperationBody> {
    const response = await this.#bridge.fetch(`/v1/operations/${encodeURIComponent(key)}`);
    if (response.status !== 200) throw new Error(`GET /v1/operations/${key}: ${response.status}`);
    return (await response.json()) as OperationBody;
  }

  async reconcile(key: string): Promise<OperationBody> {
    const path = `/v1/operations/${encodeURIComponent(key)}/reconcile`;
    const response = await this.#bridge.fetch(path, { method: 'POST' });
    return (await response.json()) as OperationBody;
  }
}

interface BooksUser {
  readonly login: number;
  readonly balance: string;
  readonly positions: readonly { readonly comment: string; readonly position: number; readonly symbol: string }[];
  readonly orders: readonly { readonly comment: string; readonly order: number }[];
  readonly deals: readonly { readonly comment: string; readonly deal: number; readonly order: number }[];
}

/** How often a tag stands in the books: deals, and orders that are open without one. */
export function effectsOf(books: object, tag: string): number {
  const { users } = books as { users: readonly BooksUser[] };
  let effects = 0;
  for (const { deals, orders } of users) {
    const tagged = deals.filter(({ comment }) => comment.endsWith(tag));
    effects += new Set(tagged.map(({ order, deal }) => (order === 0 ? `deal ${deal}` : `order ${order}`))).size;
    effects += orders.filter(
      ({ comment, order }) => comment.endsWith(tag) && !tagged.some((deal) => deal.order === order),
    ).length;
  }
  return effects;
}

export const userInBooks = (books: object, login: number): BooksUser => {
  const found = (books as { users: readonly BooksUser[] }).users.find((user) => user.login === login);
  if (!found) throw new Error(`no login ${login}`);
  return found;
};
