import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decimal,
  divideRound,
  parseDecimal,
  productRound,
  ratio,
  ratioRound,
  rescale,
  weightedAverage,
} from '../../../simulator/broker/money.ts';

describe('decimals', () => {
  test.each([
    [0, 2, '0.00'],
    [5, 2, '0.05'],
    [-5, 2, '-0.05'],
    [1_234_567, 5, '12.34567'],
    [-1_234_567, 0, '-1234567'],
    [100_000_000_000, 2, '1000000000.00'],
  ])('%d with %d digits is %s', (value, digits, text) => expect(decimal(value, digits)).toBe(text));

  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 0, max: 8 }), (value, digits) => {
        expect(parseDecimal(decimal(value, digits), digits)).toBe(value);
      }),
    );
  });

  test.each(['', '.', '1e5', '0x10', '1,5', '--1', 'NaN', 'Infinity', '1 000', '99999999999999999999'])(
    '%j is no amount',
    (text) => expect(parseDecimal(text, 2)).toBeUndefined(),
  );

  test.each([
    ['1.005', 101],
    ['-1.005', -101],
    ['1.004999', 100],
    ['.5', 50],
    ['5.', 500],
    ['+7', 700],
  ])('%s in cents is %d', (text, cents) => expect(parseDecimal(text, 2)).toBe(cents));
});

describe('rounding', () => {
  test('is half away from zero, both ways', () => {
    expect([5n, -5n, 15n, -15n, 4n, -4n].map((value) => divideRound(value, 10n))).toEqual([1n, -1n, 2n, -2n, 0n, 0n]);
  });

  test('the quick way agrees with bigint', () => {
    const factor = fc.integer({ min: -1_000_000_000_000, max: 1_000_000_000_000 });
    fc.assert(
      fc.property(
        factor,
        fc.integer({ min: -100_000, max: 100_000 }),
        fc.integer({ min: 1, max: 1_000_000_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        (a, b, denominator, numerator) => {
          const reduced = ratio(BigInt(numerator), BigInt(denominator));
          const exact = divideRound(BigInt(a) * BigInt(b) * BigInt(numerator), BigInt(denominator));
          fc.pre(exact >= -9_007_199_254_740_991n && exact <= 9_007_199_254_740_991n);
          expect(BigInt(ratioRound(a, b, reduced))).toBe(exact);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('products and averages are exact beyond 53 bits', () => {
    expect(productRound([9_007_199_254_740_991, 9_007_199_254_740_991], 16)).toBe(8_112_963_841_460_666);
    expect(weightedAverage(115_000, 10_000_000, 115_001, 10_000_000)).toBe(115_001);
    expect([rescale(125, 2, 1), rescale(125, 2, 4)]).toEqual([13, 12_500]);
  });
});
