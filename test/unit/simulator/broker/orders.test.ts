import { describe, expect, test } from 'vitest';
import { ORDER_STATE, REASON } from '../../../simulator/broker/records.ts';
import { TestBroker, type Fields } from '../../../support/broker.ts';

function desk(group = 'demo\\forex', balance = 100_000_00): { it: TestBroker; login: number } {
  const it = new TestBroker({ clients: 0 });
  it.quote('EURUSD', '1.20000', '1.20010');
  return { it, login: it.client(group, balance) };
}
const pending = (it: TestBroker, login: number, fields: Fields): ReturnType<TestBroker['trade']> =>
  it.trade({ Action: 201, Login: login, Symbol: 'EURUSD', Volume: 1000, TypeFill: 2, ...fields });

describe('waiting orders', () => {
  test.each([
    ['buy limit', 2, '1.19900', ['1.19895', '1.19905'], ['1.19890', '1.19900'], 119_900],
    ['sell limit', 3, '1.20100', ['1.20099', '1.20109'], ['1.20103', '1.20113'], 120_103],
    ['buy stop', 4, '1.20100', ['1.20080', '1.20090'], ['1.20092', '1.20102'], 120_102],
    ['sell stop', 5, '1.19900', ['1.19901', '1.19911'], ['1.19899', '1.19909'], 119_899],
  ] as const)('%s waits for its price and executes at the market', (_name, type, price, before, at, executed) => {
    const { it, login } = desk();
    const { order = 0, retcode } = pending(it, login, { Type: type, PriceOrder: price, Comment: 'wait' });
    expect(retcode).toBe(10009);
    it.quote('EURUSD', before[0], before[1]);
    expect(it.positions(login)).toHaveLength(0);
    it.quote('EURUSD', at[0], at[1]);
    expect(it.positions(login)).toMatchObject([{ ticket: order, priceOpen: executed, comment: 'wait' }]);
    expect(it.world.books.orders.of(login)).toHaveLength(0);
    expect(it.world.books.history.get(order)).toMatchObject({ state: ORDER_STATE.filled });
  });

  test('a stop-limit becomes a limit at its trigger price, then executes', () => {
    const { it, login } = desk();
    const { order = 0 } = pending(it, login, { Type: 6, PriceOrder: '1.20100', PriceTrigger: '1.20050' });
    it.quote('EURUSD', '1.20095', '1.20105');
    expect(it.world.books.orders.get(order)).toMatchObject({ type: 2, price: 120_050 });
    it.quote('EURUSD', '1.20040', '1.20050');
    expect(it.positions(login)).toMatchObject([{ ticket: order, priceOpen: 120_050 }]);
  });

  test('stops on the wrong side, too close or beyond, prices that would trigger at once, all are refused', () => {
    const { it, login } = desk();
    expect(pending(it, login, { Type: 2, PriceOrder: '1.20010' }).retcode).toBe(10015);
    expect(pending(it, login, { Type: 4, PriceOrder: '1.19000' }).retcode).toBe(10015);
    expect(pending(it, login, { Type: 2, PriceOrder: 'cheap' }).retcode).toBe(10015);
    expect(pending(it, login, { Type: 6, PriceOrder: '1.20100', PriceTrigger: '1.20200' }).retcode).toBe(10015);
    expect(pending(it, login, { Type: 2, PriceOrder: '1.19000', PriceSL: '1.19500' }).retcode).toBe(10016);
    expect(pending(it, login, { Type: 2, PriceOrder: '1.19000', PriceTP: '1.18000' }).retcode).toBe(10016);
    expect(pending(it, login, { Type: 9, PriceOrder: '1.19000' }).retcode).toBe(10013);
    it.quote('XAUUSD', '4000.00', '4000.20');
    const gold = { Symbol: 'XAUUSD', Type: 2, Volume: 100 };
    expect(pending(it, login, { ...gold, PriceOrder: '4000.15' }).retcode).toBe(10015);
    expect(pending(it, login, { ...gold, PriceOrder: '4000.10' }).retcode).toBe(10009);
  });

  test('modify, nothing to modify, remove, and what is gone', () => {
    const { it, login } = desk();
    const { order: Order = 0 } = pending(it, login, { Type: 2, PriceOrder: '1.19000', PriceSL: '1.18000' });
    const base = { Login: login, Order };
    expect(it.trade({ ...base, Action: 203, PriceOrder: '1.18500', PriceTP: '1.19500' }).retcode).toBe(10009);
    expect(it.world.books.orders.get(Order)).toMatchObject({ price: 118_500, sl: 118_000, tp: 119_500 });
    expect(it.trade({ ...base, Action: 203, PriceOrder: '1.18500' }).retcode).toBe(10025);
    expect(it.trade({ ...base, Action: 203, PriceOrder: '1.30000' }).retcode).toBe(10015);
    expect(it.trade({ ...base, Action: 204 }).retcode).toBe(10009);
    expect(it.world.books.history.get(Order)).toMatchObject({ state: ORDER_STATE.canceled });
    expect(it.trade({ ...base, Action: 204, Symbol: 'EURUSD' }).retcode).toBe(10023);
    expect(it.trade({ Login: login, Action: 204, Order: 4711 }).retcode).toBe(10035);
  });

  test('a dealer activates an order by hand', () => {
    const { it, login } = desk();
    const { order: Order = 0 } = pending(it, login, { Type: 2, PriceOrder: '1.19000' });
    expect(it.trade({ Login: login, Action: 205, Order, PriceOrder: '1.19500' })).toMatchObject({
      retcode: 10009,
      price: 119_500,
    });
    expect(it.positions(login)).toMatchObject([{ ticket: Order, priceOpen: 119_500 }]);
  });

  test('expiration: at the moment, at the end of the day, not in the past', () => {
    const { it, login } = desk();
    const now = Math.floor(it.broker.time.serverMs() / 1000);
    expect(pending(it, login, { Type: 2, PriceOrder: '1.19000', TypeTime: 2, TimeExpiration: now - 1 }).retcode).toBe(
      10022,
    );
    expect(pending(it, login, { Type: 2, PriceOrder: '1.19000', TypeTime: 7 }).retcode).toBe(10022);
    pending(it, login, { Type: 2, PriceOrder: '1.00000', TypeTime: 2, TimeExpiration: now + 60 });
    pending(it, login, { Type: 2, PriceOrder: '1.00000', TypeTime: 1 });
    pending(it, login, { Type: 2, PriceOrder: '1.00000', TypeTime: 0 });
    const open = (): number => it.world.books.orders.of(login).length;
    it.pass(61_000);
    expect(open()).toBe(2);
    it.pass(12 * 3_600_000);
    expect(open()).toBe(1);
    expect(it.world.books.history.of(login).map(({ state }) => state)).toEqual([
      ORDER_STATE.expired,
      ORDER_STATE.expired,
    ]);
  });

  test('an order whose account cannot carry it is cancelled when its price comes', () => {
    const { it, login } = desk('demo\\forex', 1_000_00);
    const { order = 0 } = pending(it, login, { Type: 2, PriceOrder: '1.19900', Volume: 100_000 });
    it.quote('EURUSD', '1.19890', '1.19900');
    expect(it.positions(login)).toHaveLength(0);
    expect(it.world.books.history.get(order)).toMatchObject({ state: ORDER_STATE.canceled, comment: '[no money]' });
  });
});

describe('stop loss and take profit', () => {
  test.each([
    ['buy', 'PriceSL', '1.19900', ['1.19900', '1.19910'], REASON.sl, -10_00],
    ['buy', 'PriceTP', '1.20100', ['1.20110', '1.20120'], REASON.tp, 11_00],
    ['sell', 'PriceSL', '1.20110', ['1.20110', '1.20120'], REASON.sl, -12_00],
    ['sell', 'PriceTP', '1.19900', ['1.19880', '1.19890'], REASON.tp, 11_00],
  ] as const)('of a %s, %s', (side, field, price, at, reason, profit) => {
    const { it, login } = desk();
    const { order = 0 } = it.market(login, 'EURUSD', side, 10, {
      PriceOrder: side === 'buy' ? '1.20000' : '0',
      [field]: price,
    });
    it.quote('EURUSD', at[0], at[1]);
    expect(it.positions(login)).toHaveLength(0);
    expect(it.deals(login).at(-1)).toMatchObject({ reason, profit, positionId: order });
  });

  test('are set and removed on a position; the wrong side is refused', () => {
    const { it, login } = desk();
    const { order: Position = 0 } = it.market(login, 'EURUSD', 'buy', 10);
    const modify = (fields: Fields): number =>
      it.trade({ Action: 202, Login: login, Symbol: 'EURUSD', Position, ...fields }).retcode;
    expect(modify({ PriceSL: '1.20000' })).toBe(10016);
    expect(modify({ PriceSL: '1.19000', PriceTP: '1.21000' })).toBe(10009);
    expect(modify({ PriceSL: '1.19000', PriceTP: '1.21000' })).toBe(10025);
    expect(modify({ PriceSL: '0', PriceTP: '0' })).toBe(10009);
    expect(it.positions(login)).toMatchObject([{ sl: 0, tp: 0 }]);
    expect(modify({ Position: 4711, PriceSL: '1.1' })).toBe(10036);
  });
});

describe('margin call and stop-out', () => {
  test('by level: the worst position goes first and no more than needed', () => {
    const { it, login } = desk('demo\\forex', 4_000_00);
    const small = it.market(login, 'EURUSD', 'buy', 100).order ?? 0;
    const large = it.market(login, 'EURUSD', 'buy', 200).order ?? 0;
    // Margin 3,600.30; 100 points below equity is 1,000 less than the deposit less the spread.
    it.quote('EURUSD', '1.19850', '1.19860');
    it.pass(1000);
    const user = it.world.books.users.get(login);
    expect(user?.stopOut).toMatchObject({ activation: 1 });
    expect(it.positions(login)).toHaveLength(2);
    it.quote('EURUSD', '1.19250', '1.19260');
    it.pass(1000);
    it.quote('EURUSD', '1.19250', '1.19260');
    expect(it.positions(login).map(({ ticket }) => ticket)).toEqual([small]);
    expect(it.deals(login).at(-1)).toMatchObject({ reason: REASON.so, positionId: large });
    expect(it.deals(login).at(-1)?.comment).toMatch(/^\[so /u);
    expect(it.broker.verifyBooks()).toEqual([]);
  });
});

describe('what a request must satisfy', () => {
  test.each([
    ['below the minimum', { Volume: 50 }, 10014],
    ['above the maximum', { Volume: 6_000_000 }, 10014],
    ['off the step', { Volume: 150 }, 10014],
    ['no volume', { Volume: 0 }, 10014],
    ['more than the money', { Volume: 1_000_000 }, 10019],
    ['RETURN at the market', { Volume: 100, TypeFill: 2 }, 10030],
    ['a filling that does not exist', { Volume: 100, TypeFill: 3 }, 10030],
    ['a price far away', { Volume: 100, PriceOrder: '2.40000' }, 10015],
    ['a price that is none', { Volume: 100, PriceOrder: 'x' }, 10015],
    ['a price the market left', { Volume: 100, PriceOrder: '1.19900', PriceDeviation: 20 }, 10004],
    ['stop loss above a buy', { Volume: 100, PriceSL: '1.30000' }, 10016],
    ['other digits', { Volume: 100, Digits: 3 }, 10013],
    ['a pending type', { Volume: 100, Type: 2 }, 10013],
    ['no such symbol', { Volume: 100, Symbol: 'NOPE' }, 10013],
    ['FOK where only IOC is', { Volume: 100, Symbol: 'BTCUSD' }, 10030],
    ['a position that is not there', { Volume: 100, Position: 4711 }, 10036],
  ])('%s', (_name, fields, retcode) => {
    const { it, login } = desk();
    const before = it.broker.mutations;
    expect(it.trade({ Action: 200, Login: login, Symbol: 'EURUSD', Type: 0, ...fields }).retcode).toBe(retcode);
    expect(it.broker.mutations).toBe(before);
    expect(it.positions(login)).toHaveLength(0);
  });

  test('rights of the account, hours of the market, modes of the symbol, limits of the group', () => {
    const { it, login } = desk();
    const user = it.world.books.users.get(login);
    if (user === undefined) throw new Error('no user');
    const rights = user.rights;
    for (const wrong of [rights & ~1, rights | 4, rights | 0x200]) {
      user.rights = wrong;
      expect(it.market(login, 'EURUSD', 'buy', 10).retcode).toBe(10017);
    }
    user.rights = rights;
    const closeOnly = it.client('real\\pro-netting-eur', 100_000_00);
    expect(it.market(closeOnly, 'BTCUSD', 'buy', 10, { TypeFill: 1 }).retcode).toBe(10044);
    // Saturday: index hours are over in any case.
    it.pass(3 * 86_400_000);
    expect(it.market(login, 'US500', 'buy', 10).retcode).toBe(10018);
    const real = new TestBroker({ clients: 0, tradingHours: 'real' });
    const weekend = real.client('demo\\forex', 10_000_00);
    expect(real.market(weekend, 'EURUSD', 'buy', 1).retcode).toBe(10009);
    real.pass(3 * 86_400_000);
    expect(real.market(weekend, 'EURUSD', 'buy', 1).retcode).toBe(10018);
    expect(real.market(weekend, 'BTCUSD', 'buy', 1, { TypeFill: 1 }).retcode).toBe(10009);
  });
});

describe('fill policies when the market has only half', () => {
  test.each([
    ['FOK: nothing', 0, 10006, 0, 0],
    ['IOC: half, the rest is cancelled', 1, 10010, 50_000_000, 0],
  ])('%s', (_name, TypeFill, retcode, filled, open) => {
    const { it, login } = desk();
    it.broker.dealer.set({ next: ['partial'], partialPercent: 50 });
    const done = it.market(login, 'EURUSD', 'buy', 100, { TypeFill });
    expect(done).toMatchObject({ retcode });
    expect(it.positions(login)[0]?.volume ?? 0).toBe(filled);
    expect(it.world.books.orders.of(login)).toHaveLength(open);
    expect(it.broker.verifyBooks()).toEqual([]);
  });

  test('RETURN, where the symbol is not executed by market: the rest waits and is filled with the next tick', () => {
    const { it, login } = desk();
    const { books } = it.world;
    it.broker.configureSymbol({ Symbol: 'EURUSD', ExecMode: '3' });
    it.broker.dealer.set({ next: ['partial'] });
    const { order = 0, retcode } = it.market(login, 'EURUSD', 'buy', 100, { TypeFill: 2 });
    expect(retcode).toBe(10010);
    expect(books.orders.get(order)).toMatchObject({ state: ORDER_STATE.partial, volumeCurrent: 50_000_000 });
    it.quote('EURUSD', '1.20100', '1.20110');
    expect(books.orders.get(order)).toBeUndefined();
    expect(it.positions(login)).toMatchObject([{ ticket: order, volume: 100_000_000, priceOpen: 120_060 }]);
    expect(it.broker.verifyBooks()).toEqual([]);
  });
});
