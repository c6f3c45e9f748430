import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { TradingClient, userInBooks } from '../../support/trading.ts';

/** Who chooses the price of a trade: the market, or a dealer who may; never a trader. */

let simulator: Simulator;
let bridge: BridgeUnderTest;
let admin: TradingClient;
let trader: TradingClient;

const asTrader = (path: string, init: RequestInit = {}): Promise<Response> => {
  const headers = new Headers(init.headers);
  headers.set('x-api-key', bridge.tradeKey);
  return bridge.fetch(path, { ...init, headers });
};

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  bridge = await startBridge({ simulator });
  admin = new TradingClient(bridge);
  trader = new TradingClient({ fetch: asTrader });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});
beforeEach(() => {
  simulator.reset(['counters', 'faults', 'switches']);
  tick('1.15290', '1.15300');
});

/** A new tick, `ageMs` ago by the broker's clock. */
function tick(bid: string, ask: string, ageMs = 0): void {
  const { broker } = simulator;
  const points = (price: string): number => Number(price.replace('.', ''));
  broker.world.market.set('EURUSD', broker.clock.nowMs() - ageMs, points(bid), points(ask));
}

let keys = 0;
const newKey = (): string => `price-${keys++}`;
const priceOf = (body: Record<string, unknown>): unknown => (body['deals'] as { price: string }[])[0]?.price;
const openPosition = async (): Promise<string> => {
  const { body } = await trader.order(newKey());
  return (body['order'] as { position: string }).position;
};

describe('a caller of a market trade', () => {
  it('names no price of an order', async () => {
    const { status, body } = await trader.order(newKey(), { price: '1.10000' });
    expect({ status, ...body }).toMatchObject({ status: 422, code: 'invalid_field', field: 'price' });
    expect(body['detail']).toContain('executes at the market');
    expect(simulator.stats().mutations).toBe(0);
  });

  it('names no price of a close', async () => {
    const ticket = await openPosition();
    const { balance } = userInBooks(simulator.books(), 1001);
    const close = await trader.write('POST', `/v1/positions/${ticket}/close`, { price: '1.25000' }, newKey());
    expect(close).toMatchObject({ status: 422, body: { code: 'invalid_field', field: 'price' } });
    expect(close.body['detail']).toContain('executes at the market');
    expect(userInBooks(simulator.books(), 1001).balance).toBe(balance);
  });

  it.each([
    ['POST', '/v1/orders', { login: 1001, symbol: 'EURUSD', side: 'buy', volume: '0.01', dealerPrice: '1.10000' }],
    ['POST', '/v1/positions/1/close', { dealerPrice: '1.25000' }],
  ])('needs the right of a dealer for dealerPrice: %s %s', async (method, path, body) => {
    expect(await trader.write(method, path, body, newKey())).toMatchObject({
      status: 403,
      body: { code: 'scope_missing', outcome: 'not_sent' },
    });
  });

  it('does not get past it with a raw dealer request', async () => {
    const request = { Action: '200', Login: '1001', Symbol: 'EURUSD', Volume: '100', Type: '0', PriceOrder: '1.10000' };
    expect(await trader.write('POST', '/api/dealer/send_request', request, newKey())).toMatchObject({
      status: 403,
      body: { code: 'scope_missing' },
    });
    expect(simulator.stats().mutations).toBe(0);
  });
});

describe.each(['market', 'priceOrder'] as const)('at a server with marketFlag=%s', (marketFlag) => {
  beforeEach(() => simulator.switch({ marketFlag }));

  it('a trade executes at the quote of now, on its own side', async () => {
    expect(priceOf((await trader.order(newKey())).body)).toBe('1.15300');
    tick('1.15310', '1.15320');
    expect(priceOf((await trader.order(newKey())).body)).toBe('1.15320');
    expect(priceOf((await trader.order(newKey(), { side: 'sell' })).body)).toBe('1.15310');
    const ticket = await openPosition();
    tick('1.15410', '1.15420');
    const closed = await trader.write('POST', `/v1/positions/${ticket}/close`, undefined, newKey());
    expect(priceOf(closed.body)).toBe('1.15410');
  });

  it('a dealer corrects at another price, and the operation shows it', async () => {
    const key = newKey();
    const { status, body } = await admin.order(key, { dealerPrice: '1.15000' });
    expect({ status, price: priceOf(body) }).toEqual({ status: 201, price: '1.15000' });
    expect(await admin.operation(key)).toMatchObject({ state: 'done', dealerPrice: '1.15000' });
  });
});

describe('expectedPrice with maxDeviation', () => {
  it('lets through what is within, on both sides of it', async () => {
    expect(await trader.order(newKey(), { expectedPrice: '1.15290', maxDeviation: 10 })).toMatchObject({ status: 201 });
    expect(await trader.order(newKey(), { expectedPrice: '1.15310', maxDeviation: 10 })).toMatchObject({ status: 201 });
    expect(await trader.order(newKey(), { expectedPrice: '1.15300' })).toMatchObject({ status: 201 });
  });

  it('refuses what is outside with the quote, and the key may be used again', async () => {
    const key = newKey();
    const order = { expectedPrice: '1.15289', maxDeviation: 10 };
    expect(await trader.order(key, order)).toMatchObject({
      status: 409,
      body: { code: 'price_moved', outcome: 'not_sent', quote: { bid: '1.15290', ask: '1.15300' } },
    });
    expect(simulator.stats().mutations).toBe(0);
    tick('1.15280', '1.15290');
    expect(await trader.order(key, order)).toMatchObject({ status: 201 });
  });

  it('bounds a close by its own side of the market', async () => {
    const ticket = await openPosition();
    const close = (body: object) => trader.write('POST', `/v1/positions/${ticket}/close`, body, newKey());
    expect(await close({ expectedPrice: '1.15300', maxDeviation: 9 })).toMatchObject({ status: 409 });
    expect(await close({ expectedPrice: '1.15300', maxDeviation: 10 })).toMatchObject({ status: 200 });
  });

  it.each([
    [{ maxDeviation: 5 }, 'maxDeviation'],
    [{ expectedPrice: '1.15', maxDeviation: 1.5 }, 'maxDeviation'],
    [{ expectedPrice: '1.15', maxDeviation: -1 }, 'maxDeviation'],
    [{ expectedPrice: '1.153001', maxDeviation: 1 }, 'expectedPrice'],
    [{ expectedPrice: '1.15', dealerPrice: '1.15' }, 'expectedPrice'],
    [{ type: 'limit', price: '1.00000', expectedPrice: '1.00000' }, 'expectedPrice'],
    [{ type: 'limit', price: '1.00000', dealerPrice: '1.00000' }, 'dealerPrice'],
  ])('%o is refused, naming %s', async (changes, field) => {
    expect(await admin.order(newKey(), changes)).toMatchObject({ status: 422, body: { code: 'invalid_field', field } });
  });
});

describe('a tick that is too old to be a price', () => {
  it('is not traded at: nothing is sent, and the key may be used again', async () => {
    tick('1.15290', '1.15300', 61_000);
    const key = newKey();
    const { status, body } = await trader.order(key);
    expect({ status, ...body }).toMatchObject({ status: 503, code: 'data_not_ready', outcome: 'not_sent' });
    expect(simulator.stats().byCommand['dealer/send_request']).toBeUndefined();
    tick('1.15290', '1.15300', 55_000);
    expect(await trader.order(key)).toMatchObject({ status: 201 });
  });

  it('is told from a fresh one of a broker whose clock was moved', async () => {
    await trader.order(newKey());
    const before = simulator.broker.clock.nowMs();
    simulator.broker.clock.set({ utcMs: Date.now() - 600_000 });
    tick('1.15290', '1.15300');
    expect(simulator.broker.clock.nowMs()).toBeLessThan(before);
    expect(await trader.order(newKey())).toMatchObject({ status: 201 });
    simulator.broker.clock.set({ utcMs: Date.now() });
    tick('1.15290', '1.15300');
    expect(await trader.order(newKey())).toMatchObject({ status: 201 });
  });
});

describe('MARKET_ORDER_PRICE', () => {
  const dry = async (of: BridgeUnderTest, body = {}): Promise<unknown> => {
    const order = { login: 1001, symbol: 'EURUSD', side: 'buy', volume: '0.01', ...body };
    const answer = await new TradingClient(of).write('POST', '/v1/orders?dryRun=true', order, newKey());
    return (answer.body['dryRun'] as { request: unknown }).request;
  };

  it('names the quote beside the flag', async () => {
    expect(await dry(bridge)).toMatchObject({ PriceOrder: '1.15300', Flags: '2' });
    expect(await dry(bridge, { dealerPrice: '1.15000' })).toMatchObject({ PriceOrder: '1.15000', Flags: '0' });
  });

  it('none: names 0 and asks for no quote unless the price is bounded', async () => {
    const none = await startBridge({ simulator, env: { MARKET_ORDER_PRICE: 'none' } });
    try {
      expect(await dry(none)).toMatchObject({ PriceOrder: '0', Flags: '2' });
      simulator.reset(['counters']);
      const client = new TradingClient(none);
      expect(await client.order(newKey())).toMatchObject({ status: 201 });
      expect(simulator.stats().byCommand['tick/last_group']).toBeUndefined();
      expect(await client.order(newKey(), { expectedPrice: '1.10000', maxDeviation: 1 })).toMatchObject({
        status: 409,
        body: { code: 'price_moved' },
      });
    } finally {
      await none.close();
    }
  });
});
