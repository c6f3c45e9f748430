import { expect, test } from 'vitest';
import { dailyReports } from '../../../simulator/broker/daily.ts';
import { TestBroker } from '../../../support/broker.ts';

test('daily reports follow one another to the cent, and the last is the account of midnight', () => {
  const it = new TestBroker();
  const { world } = it;
  for (const login of [1001, 1002, 1004, 1007]) {
    const user = world.books.users.get(login);
    if (user === undefined) throw new Error('no user');
    const nowMs = it.broker.time.serverMs();
    const reports = dailyReports(world, user, { fromMs: 0, toMs: nowMs, nowMs, most: 5000 });
    expect(reports.length).toBeGreaterThan(300);
    let before = { balance: 0, credit: 0 };
    for (const { balance, credit, sums, balancePrevDay } of reports) {
      expect(balancePrevDay).toBe(before.balance);
      const { profit, balance: paid, charge, correction, bonus, storage, commission } = sums;
      expect(balance).toBe(before.balance + profit + paid + charge + correction + bonus + storage + commission);
      expect(credit).toBe(before.credit + sums.credit);
      before = { balance, credit };
    }
    expect(before).toEqual({ balance: user.balance, credit: user.credit });
    const held = new Set(reports.at(-1)?.positions.map(({ ticket }) => ticket));
    expect(held).toEqual(new Set(it.positions(login).map(({ ticket }) => ticket)));
    expect(reports.at(-1)?.margin).toBe(world.accounts.state(user).margin);
  }
});
