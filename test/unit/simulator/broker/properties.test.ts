import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TestBroker } from '../../../support/broker.ts';

/** A trade at a price: side, hundredths of a lot, points away from 1.20000. */
const trades = fc.array(
  fc.record({
    side: fc.constantFrom('buy' as const, 'sell' as const),
    hundredths: fc.integer({ min: 1, max: 300 }),
    points: fc.integer({ min: -900, max: 900 }),
    /** Which of the open positions a close is for; -1 opens. */
    target: fc.integer({ min: -1, max: 3 }),
  }),
  { minLength: 1, maxLength: 25 },
);

function setPrice(it: TestBroker, points: number): void {
  const price = ((120_000 + points) / 100_000).toFixed(5);
  it.quote('EURUSD', price, price);
}

describe('any sequence of trades', () => {
  test('netting: one position, its volume the signed sum, its result the cash flow of the trades', () => {
    fc.assert(
      fc.property(trades, (sequence) => {
        const it = new TestBroker({ clients: 0 });
        setPrice(it, 0);
        const login = it.client('demo\\netting', 100_000_000_00, 500);
        let signed = 0;
        let cash = 0;
        for (const { side, hundredths, points } of sequence) {
          setPrice(it, points);
          expect(it.market(login, 'EURUSD', side, hundredths).retcode).toBe(10009);
          const sign = side === 'buy' ? 1 : -1;
          signed += sign * hundredths;
          cash -= sign * hundredths * (120_000 + points);
        }
        const [position, ...others] = it.positions(login);
        expect(others).toEqual([]);
        expect(position === undefined ? 0 : (position.volume / 1_000_000) * (position.action === 0 ? 1 : -1)).toBe(
          signed,
        );
        // A point of 0.01 lot is a cent. The average price is rounded to a point with each opening.
        const last = 120_000 + (sequence.at(-1)?.points ?? 0);
        const exact = cash + signed * last;
        const { balance, profit } = it.state(login);
        const tolerance = sequence.reduce((sum, { hundredths }) => sum + hundredths, 0) * sequence.length;
        expect(Math.abs(balance + profit - 100_000_000_00 - exact)).toBeLessThanOrEqual(tolerance);
        expect(it.broker.verifyBooks()).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('hedging: volumes open minus closed, the result exact to the cent, margin no less than the uncovered part', () => {
    fc.assert(
      fc.property(trades, (sequence) => {
        const it = new TestBroker({ clients: 0 });
        setPrice(it, 0);
        const login = it.client('demo\\forex', 100_000_000_00, 500);
        let cash = 0;
        let signed = 0;
        for (const { side, hundredths, points, target } of sequence) {
          setPrice(it, points);
          const position = target < 0 ? undefined : it.positions(login)[target];
          const closing = position === undefined ? {} : { Position: position.ticket };
          const done = position === undefined ? side : position.action === 0 ? 'sell' : 'buy';
          const volume = position === undefined ? hundredths : Math.min(hundredths, position.volume / 1_000_000);
          expect(it.market(login, 'EURUSD', done, volume, closing).retcode).toBe(10009);
          const sign = done === 'buy' ? 1 : -1;
          signed += sign * volume;
          cash -= sign * volume * (120_000 + points);
        }
        const held = it
          .positions(login)
          .reduce((sum, { action, volume }) => sum + (action === 0 ? volume : -volume) / 1_000_000, 0);
        expect(held).toBe(signed);
        const last = 120_000 + (sequence.at(-1)?.points ?? 0);
        const { balance, profit, equity, margin, marginFree } = it.state(login);
        expect(balance + profit).toBe(100_000_000_00 + cash + signed * last);
        expect(marginFree).toBe(equity - margin);
        expect(margin >= 0).toBe(true);
        expect(it.broker.verifyBooks()).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
