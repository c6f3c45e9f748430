import { describe, expect, test } from 'vitest';
import { ENTRY } from '../../../simulator/broker/records.ts';
import { TestBroker } from '../../../support/broker.ts';

function desk(group: string): { it: TestBroker; login: number } {
  const it = new TestBroker({ clients: 0 });
  it.quote('EURUSD', '1.20000', '1.20000');
  return { it, login: it.client(group, 1_000_000_00) };
}
const brief = (it: TestBroker, login: number): object[] =>
  it.positions(login).map(({ ticket, action, volume, priceOpen, comment }) => ({
    ticket,
    action,
    lots: volume / 1e8,
    priceOpen,
    comment,
  }));

describe('netting: one position a symbol', () => {
  test('the same side averages the price, the other side reduces, more than that reverses under the same ticket', () => {
    const { it, login } = desk('demo\\netting');
    const first = it.market(login, 'EURUSD', 'buy', 100, { Comment: 'one' });
    const ticket = first.order ?? 0;
    it.quote('EURUSD', '1.20100', '1.20100');
    it.market(login, 'EURUSD', 'buy', 300);
    // (1 × 1.20000 + 3 × 1.20100) / 4
    expect(brief(it, login)).toEqual([{ ticket, action: 0, lots: 4, priceOpen: 120_075, comment: 'one' }]);
    it.market(login, 'EURUSD', 'sell', 100);
    expect(brief(it, login)).toMatchObject([{ ticket, action: 0, lots: 3, priceOpen: 120_075 }]);
    expect(it.deals(login).at(-1)).toMatchObject({ entry: ENTRY.out, profit: 2500, positionId: ticket });
    it.market(login, 'EURUSD', 'sell', 500, { Comment: 'turned' });
    expect(brief(it, login)).toEqual([{ ticket, action: 1, lots: 2, priceOpen: 120_100, comment: 'turned' }]);
    expect(it.deals(login).at(-1)).toMatchObject({ entry: ENTRY.inOut, profit: 7500, volumeClosed: 300_000_000 });
    it.market(login, 'EURUSD', 'buy', 200, { Flags: 1 });
    expect(it.positions(login)).toEqual([]);
    expect(it.broker.verifyBooks()).toEqual([]);
  });

  test('a close needs a position', () => {
    const { it, login } = desk('demo\\netting');
    expect(it.market(login, 'EURUSD', 'sell', 100, { Flags: 1 }).retcode).toBe(10013);
    expect(it.market(login, 'EURUSD', 'sell', 100, { Position: 4711 }).retcode).toBe(10036);
  });
});

describe('hedging: every opening is a position', () => {
  test('opposite positions live side by side; a close names one, may be partial and not more than it holds', () => {
    const { it, login } = desk('demo\\forex');
    const buy = it.market(login, 'EURUSD', 'buy', 100, { Comment: 'mine' }).order ?? 0;
    it.market(login, 'EURUSD', 'sell', 100);
    expect(it.positions(login)).toHaveLength(2);
    expect(it.market(login, 'EURUSD', 'buy', 50, { Position: buy }).retcode).toBe(10013);
    expect(it.market(login, 'EURUSD', 'sell', 101, { Position: buy }).retcode).toBe(10038);
    expect(it.market(login, 'EURUSD', 'sell', 40, { Position: buy }).retcode).toBe(10009);
    expect(brief(it, login)).toMatchObject([
      { ticket: buy, lots: 0.6, comment: 'mine' },
      { action: 1, lots: 1 },
    ]);
    expect(it.market(login, 'EURUSD', 'sell', 60, { Position: buy }).retcode).toBe(10009);
    expect(it.market(login, 'EURUSD', 'sell', 60, { Position: buy }).retcode).toBe(10036);
    expect(it.broker.verifyBooks()).toEqual([]);
  });

  test('close-by nets two positions at their opening prices and leaves the rest', () => {
    const { it, login } = desk('demo\\forex');
    const buy = it.market(login, 'EURUSD', 'buy', 100).order ?? 0;
    it.quote('EURUSD', '1.20200', '1.20200');
    const sell = it.market(login, 'EURUSD', 'sell', 70).order ?? 0;
    const by = { Action: 208, Login: login, Symbol: 'EURUSD', Position: buy, PositionBy: sell };
    expect(it.trade(by)).toMatchObject({ retcode: 10009, volume: 70_000_000 });
    // 0.7 lot × 200 points
    expect(it.deals(login).slice(-2)).toMatchObject([
      { entry: ENTRY.outBy, profit: 14_000 },
      { entry: ENTRY.outBy, profit: 0 },
    ]);
    expect(brief(it, login)).toMatchObject([{ ticket: buy, lots: 0.3 }]);
    expect(it.trade(by).retcode).toBe(10036);
    expect(it.broker.verifyBooks()).toEqual([]);
  });

  test('the comment is on the order, the deal and the position, 31 characters of it', () => {
    const { it, login } = desk('demo\\forex');
    const comment = 'x'.repeat(20) + '#bridge-tag-0001';
    const done = it.market(login, 'EURUSD', 'buy', 10, { Comment: comment });
    const { books } = it.world;
    const kept = comment.slice(0, 31);
    expect(books.history.get(done.order ?? 0)?.comment).toBe(kept);
    expect(books.deals.get(done.deal ?? 0)?.comment).toBe(kept);
    expect(books.positions.get(done.order ?? 0)?.comment).toBe(kept);
  });
});
