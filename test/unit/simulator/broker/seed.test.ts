import { describe, expect, test } from 'vitest';
import { compileMask } from '../../../simulator/broker/masks.ts';
import { TestBroker } from '../../../support/broker.ts';

describe('the broker one starts with', () => {
  const it = new TestBroker();
  const { books, accounts } = it.world;

  test('is the same for the same seed and start', () => {
    expect(new TestBroker().broker.books()).toEqual(it.broker.books());
    expect(new TestBroker({ seed: 8 }).broker.books()).not.toEqual(it.broker.books());
  });

  test('comes back with a reset', () => {
    const other = new TestBroker({ startUtcMs: it.nowMs });
    const before = JSON.stringify(other.broker.books());
    other.market(1001, 'EURUSD', 'buy', 10);
    other.pass(5000);
    expect(JSON.stringify(other.broker.books())).not.toBe(before);
    other.broker.reset();
    expect(JSON.stringify(other.broker.books())).toBe(before);
    expect(other.broker.mutations).toBe(0);
  });

  test('has books that balance, and counts nothing as a change', () => {
    expect(it.broker.verifyBooks()).toEqual([]);
    expect(it.broker.mutations).toBe(0);
  });

  test('has what the simulator promises', () => {
    expect(books.symbols.size).toBeGreaterThanOrEqual(25);
    expect(books.groups.size).toBeGreaterThanOrEqual(6);
    const logins = [...books.users.keys()];
    expect(logins).toEqual(expect.arrayContaining(Array.from({ length: 100 }, (_, index) => 1001 + index)));
    const groups = [...books.groups.values()];
    expect(new Set(groups.map(({ hedging }) => hedging)).size).toBe(2);
    expect(new Set(groups.map(({ currency }) => currency))).toEqual(new Set(['USD', 'EUR', 'JPY']));
    expect(books.deals.of(1001).length).toBeGreaterThan(1000);
    expect(books.positions.of(1001).length).toBeGreaterThan(0);
    expect(books.orders.of(1001).length).toBeGreaterThan(0);
    expect(books.deals.of(1090)).toEqual([]);
    const names = [...books.users.values()].map(({ fields }) => fields['Name'] ?? '').join(' ');
    expect(names).toMatch(/\p{Script=Cyrillic}/u);
    expect(names).toMatch(/\p{Script=Han}/u);
    for (const login of logins.slice(1)) expect(books.users.get(login)?.passwords.main).toBe(`Client${login}!`);
    // Years, in order of time.
    const deals = [...books.deals.byTicket.values()];
    expect((deals.at(-1)?.timeMsc ?? 0) - (deals[0]?.timeMsc ?? 0)).toBeGreaterThan(2 * 365 * 86_400_000);
    expect(deals.every((deal, index) => index === 0 || deal.timeMsc >= (deals[index - 1]?.timeMsc ?? 0))).toBe(true);
  });

  test('no account starts near its stop-out, no order at its price', () => {
    for (const user of books.users.values()) {
      const { margin, marginLevel, equity } = accounts.state(user);
      if (margin > 0) expect([user.login, marginLevel > 20_000, equity > 0]).toEqual([user.login, true, true]);
    }
    const { size } = books.orders;
    it.pass(1000);
    expect(books.orders.size).toBe(size);
  });

  test('keeps its books over a week of feed', () => {
    const week = new TestBroker({ ticksPerSecond: 2 });
    for (let hour = 0; hour < 7 * 24; hour += 1) week.pass(3_600_000);
    expect(week.broker.verifyBooks()).toEqual([]);
    expect(week.world.books.users.get(1001)?.equityPrevDay).not.toBe(0);
  });
});

describe('masks, read from left to right', () => {
  test.each([
    ['*', 'demo\\forex', true],
    ['demo\\*', 'demo\\forex', true],
    ['demo\\*', 'demo', false],
    ['demo\\*,!demo\\old*', 'demo\\old1', false],
    ['!demo\\old*,demo\\*', 'demo\\old1', true],
    ['*,!managers\\*', 'managers\\administrators', false],
    ['manager\\\\administrators', 'manager\\administrators', true],
    ['*forex', 'demo\\forex', true],
    ['Demo\\*', 'demo\\forex', false],
    ['a.b', 'axb', false],
    ['', 'demo', false],
    ['!demo', 'real', false],
    [' real\\* , demo\\forex ', 'demo\\forex', true],
  ])('%s and %s: %s', (mask, name, matches) => expect(compileMask(mask)(name)).toBe(matches));
});
