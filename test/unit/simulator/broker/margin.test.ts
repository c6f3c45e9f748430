import { describe, expect, test } from 'vitest';
import { profitRaw } from '../../../simulator/broker/valuation.ts';
import { TestBroker } from '../../../support/broker.ts';

const LOT = 100_000_000;

/** A broker at round prices, so that each figure can be worked on paper. */
function desk(): TestBroker {
  const it = new TestBroker({ clients: 0 });
  it.quote('EURUSD', '1.20000', '1.20010');
  it.quote('GBPUSD', '1.30000', '1.30010');
  it.quote('USDJPY', '150.000', '150.010');
  it.quote('EURGBP', '0.92000', '0.92010');
  it.quote('EURJPY', '180.000', '180.010');
  it.quote('XAUUSD', '4000.00', '4000.20');
  it.quote('DE40', '24000.0', '24001.0');
  it.quote('UKOIL', '64.00', '64.04');
  it.quote('BTCUSD', '90000.00', '90010.00');
  return it;
}

describe('margin, worked by hand', () => {
  test.each([
    // 1 lot = 100,000 EUR; bought at the ask 1.20010: 120,010 USD / 100
    ['EURUSD', 'buy', 100, 100, 120_010],
    // sold: converted at the bid: 120,000 / 500
    ['EURUSD', 'sell', 100, 500, 24_000],
    // 100,000 USD / 100, whatever the price of the yen
    ['USDJPY', 'buy', 100, 100, 100_000],
    // 0.5 lot = 50,000 EUR × 1.20010 / 200, cents: 300.025 → 300.03
    ['EURJPY', 'buy', 50, 200, 30_003],
    // 0.1 lot = 10 oz × 4000.20 / 100
    ['XAUUSD', 'buy', 10, 100, 40_002],
    // rolling future: 3,200.00 a lot
    ['UKOIL', 'sell', 100, 100, 320_000],
    // 0.1 coin × 90,010 × rate 5 / 100
    ['BTCUSD', 'buy', 10, 100, 45_005],
  ] as const)('%s %s %d/100 lot at leverage %d: %d cents', (symbol, side, hundredths, leverage, cents) => {
    const it = desk();
    const login = it.client('demo\\forex', 1_000_000_00, leverage);
    const fill = symbol === 'BTCUSD' ? { TypeFill: 1 } : {};
    expect(it.market(login, symbol, side, hundredths, fill).retcode).toBe(10009);
    expect(it.state(login).margin).toBe(cents);
  });

  test('an index in euros on a dollar account: price × rate 0.05 × euro', () => {
    const it = desk();
    const login = it.client('demo\\forex', 1_000_000_00);
    // 10 contracts × 24,001.0 EUR × 0.05 = 12,000.50 EUR × 1.20010 = 14,401.80005 USD
    expect(it.market(login, 'DE40', 'buy', 1000).retcode).toBe(10009);
    expect(it.state(login).margin).toBe(1_440_180);
  });

  test('hedged volume costs half of both legs with a hedged contract of one lot, the larger leg with its flag', () => {
    const it = desk();
    const login = it.client('demo\\forex', 1_000_000_00);
    it.market(login, 'EURUSD', 'buy', 300);
    it.market(login, 'EURUSD', 'sell', 100);
    // 2 lots uncovered at 1.20010 = 2,400.20; 1 lot hedged at the average of all four, 1.200075 = 1,200.08
    expect(it.state(login).margin).toBe(360_028);
    it.market(login, 'DE40', 'buy', 1000);
    it.market(login, 'DE40', 'sell', 400);
    expect(it.state(login).margin).toBe(360_028 + 1_440_180);
    // Crypto: the hedged contract is 0.
    it.market(login, 'BTCUSD', 'buy', 10, { TypeFill: 1 });
    it.market(login, 'BTCUSD', 'sell', 10, { TypeFill: 1 });
    expect(it.state(login).margin).toBe(360_028 + 1_440_180);
  });
});

describe('profit, worked by hand', () => {
  test.each([
    // 50 points of 1 lot of EURUSD: 0.00050 × 100,000 = 50.00 USD
    ['EURUSD', 0, LOT, 120_000, 120_050, 5000],
    ['EURUSD', 1, LOT, 120_000, 120_050, -5000],
    // yen have no cents: 0.123 × 100,000 × 0.37 = 4,551 JPY
    ['USDJPY', 0, 37_000_000, 150_000, 150_123, 4551],
    // gold: 1.25 × 100 oz × 0.01 lot = 1.25
    ['XAUUSD', 0, 1_000_000, 400_000, 400_125, 125],
    // index by tick: 12.5 points × 3 contracts
    ['DE40', 1, 3 * LOT, 240_125, 240_000, 3750],
    // future: 0.07 × 1000 barrels × 2
    ['UKOIL', 0, 2 * LOT, 6400, 6407, 14_000],
    // 100 points of 0.0001 lot × 1000 coins: 0.0001 USD, below a cent
    ['XRPUSD', 0, 10_000, 240_000, 240_100, 0],
  ] as const)('%s side %d: %d units from %d to %d = %d', (name, side, volume, open, close, cents) => {
    expect(profitRaw(desk().world.books.symbol(name), side, volume, open, close)).toBe(cents);
  });

  test('is converted at the bid for a buyer, at the ask for a seller; equity, level and free margin follow', () => {
    const it = desk();
    const login = it.client('demo\\forex', 10_000_00);
    it.market(login, 'EURGBP', 'buy', 100);
    it.quote('EURGBP', '0.92110', '0.92120');
    // Bought at 0.92010, now 0.92110: 100.00 GBP × 1.30000 (bid) = 130.00
    const state = it.state(login);
    expect(state.profit).toBe(13_000);
    // 100,000 EUR × 1.20010 / 100 = 1,200.10; equity 10,130.00; level 844.10 %
    expect(state).toMatchObject({ equity: 1_013_000, margin: 120_010, marginFree: 892_990, marginLevel: 84_410 });
    const seller = it.client('demo\\forex', 10_000_00);
    it.market(seller, 'EURGBP', 'sell', 100);
    it.quote('EURGBP', '0.92200', '0.92210');
    // Sold at 0.92110, to buy back at 0.92210: -100.00 GBP × 1.30010 (ask)
    expect(it.state(seller).profit).toBe(-13_001);
  });
});

describe('charges', () => {
  test('commission by lot and by turnover', () => {
    const it = desk();
    const raw = it.client('real\\hedge-usd', 100_000_00);
    it.market(raw, 'EURUSD', 'buy', 250);
    // 3.50 × 2.5 lots
    expect(it.deals(raw).at(-1)?.commission).toBe(-875);
    const turnover = it.client('real\\hedge-eur', 100_000_00);
    it.market(turnover, 'EURUSD', 'buy', 100);
    // 120,010 USD / 1.20010 (the seller of dollars pays the ask) = 100,000.00 EUR × 0.003 % = 3.00
    expect(it.deals(turnover).at(-1)?.commission).toBe(-300);
  });

  test('swap: points for a night, threefold on Wednesday, nothing at the weekend', () => {
    const it = desk();
    const login = it.client('demo\\forex', 100_000_00);
    it.market(login, 'EURUSD', 'buy', 200);
    it.market(login, 'EURUSD', 'sell', 100);
    const storages = (): number[] => it.positions(login).map(({ storage }) => storage);
    const nextNoon = (): void => it.pass(86_400_000);
    // Wednesday: -7.20 points × 2 lots × 1 USD × 3 nights; 3.10 × 1 × 3
    nextNoon();
    expect(storages()).toEqual([-4320, 930]);
    nextNoon();
    expect(storages()).toEqual([-5760, 1240]);
    nextNoon();
    const friday = [-7200, 1550];
    expect(storages()).toEqual(friday);
    nextNoon();
    nextNoon();
    expect(storages()).toEqual(friday);
    // A part closed takes its share along.
    it.market(login, 'EURUSD', 'sell', 50, { Position: it.positions(login)[0]?.ticket ?? 0 });
    expect(it.deals(login).at(-1)?.storage).toBe(-1800);
    expect(it.broker.verifyBooks()).toEqual([]);
  });

  test('no swap where the group takes none', () => {
    const it = desk();
    const login = it.client('demo\\forex-jpy', 10_000_000);
    it.market(login, 'EURUSD', 'buy', 10);
    it.pass(86_400_000);
    expect(it.positions(login)[0]?.storage).toBe(0);
  });
});
