import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  exactPrice,
  exactVolume,
  fillingCode,
  requireOpening,
  requireSides,
  symbolRules,
  timeCode,
  volumeFields,
} from '../../../../container/service/writes/symbol-rules.ts';

const symbol = (fields: Record<string, string> = {}) =>
  symbolRules({
    Symbol: 'EURUSD',
    Digits: '5',
    TradeMode: '4',
    ExecMode: '2',
    FillFlags: '3',
    ExpirFlags: '15',
    OrderFlags: '127',
    VolumeMin: '100',
    VolumeMinExt: '1000000',
    VolumeMax: '5000000',
    VolumeMaxExt: '50000000000',
    VolumeStep: '100',
    VolumeStepExt: '1000000',
    ...fields,
  });

const code = (body: () => unknown): string => {
  try {
    body();
    return 'none';
  } catch (error) {
    return (error as { context: { field: string } }).context.field;
  }
};

/** Lots of n units of 10^-8, written with exactly as many places as it takes, or with zeros after it. */
function lotsText(units: bigint, zeros: number): string {
  const digits = units.toString().padStart(9, '0');
  const fraction = digits.slice(-8).replace(/0+$/, '');
  const padded = fraction.padEnd(Math.min(8, fraction.length + zeros), '0');
  return padded === '' ? digits.slice(0, -8) : `${digits.slice(0, -8)}.${padded}`;
}

it('every multiple of every lot step is exact on both scales, and nothing between is taken', () => {
  const steps = fc.constantFrom(1n, 10n, 100n, 10_000n, 100_000n, 1_000_000n, 5_000_000n, 10_000_000n, 100_000_000n);
  fc.assert(
    fc.property(steps, fc.bigInt({ min: 1n, max: 100_000n }), fc.integer({ min: 0, max: 8 }), (step, n, zeros) => {
      const units = step * n;
      const rules = symbol({
        VolumeMinExt: step.toString(),
        VolumeStepExt: step.toString(),
        VolumeMaxExt: (step * 100_000n).toString(),
      });
      expect(exactVolume(rules, lotsText(units, zeros))).toBe(units);
      expect(volumeFields(units)).toEqual({ Volume: (units / 10_000n).toString(), VolumeExt: units.toString() });
      if (step > 1n) expect(code(() => exactVolume(rules, lotsText(units + 1n, zeros)))).toBe('volume');
    }),
  );
});

it.each([
  ['0.03', '300', '3000000'],
  ['0.29', '2900', '29000000'],
  ['1.10', '11000', '110000000'],
  ['0.57', '5700', '57000000'],
  ['500', '5000000', '50000000000'],
])('%s lots are %s and %s units', (lots, volume, volumeExt) => {
  expect(volumeFields(exactVolume(symbol(), lots))).toEqual({ Volume: volume, VolumeExt: volumeExt });
});

it.each(['', 'NaN', '1,5', '-1', '0', '0.00', '1e400', '1e-9', '1e9', '0.015', '500.01', '0x10', ' 1', '∞'])(
  '%j is no volume',
  (lots) => {
    expect(code(() => exactVolume(symbol(), lots))).toBe('volume');
  },
);

it('a build without VolumeExt takes no finer volume than it can count', () => {
  const old = symbolRules({ Symbol: 'X', VolumeMin: '1', VolumeMax: '1000000', VolumeStep: '0' });
  expect(exactVolume(old, '0.0001')).toBe(10_000n);
  expect(code(() => exactVolume(old, '0.00015'))).toBe('volume');
});

it('prices keep the symbol’s digits and are never rounded', () => {
  expect(exactPrice(symbol(), 'price', '1.1')).toBe('1.10000');
  expect(exactPrice(symbol({ Digits: '0' }), 'price', '28000')).toBe('28000');
  expect(exactPrice(symbol(), 'price', '1.123450')).toBe('1.12345');
  expect(code(() => exactPrice(symbol(), 'stopLoss', '1.123451'))).toBe('stopLoss');
  expect(code(() => exactPrice(symbol(), 'price', '-1'))).toBe('price');
});

it('what the symbol’s flags forbid is refused before anything is sent', () => {
  expect(code(() => requireOpening(symbol({ TradeMode: '1' }), 'sell', 'market'))).toBe('symbol');
  expect(code(() => requireOpening(symbol({ TradeMode: '3' }), 'buy', 'market'))).toBe('symbol');
  expect(code(() => requireOpening(symbol({ OrderFlags: '1' }), 'buy', 'limit'))).toBe('type');
  expect(code(() => fillingCode(symbol({ FillFlags: '1' }), 'market', 'ioc'))).toBe('filling');
  expect(code(() => fillingCode(symbol(), 'market', 'return'))).toBe('filling');
  expect(fillingCode(symbol({ FillFlags: '2' }), 'market', undefined)).toBe('1');
  expect(fillingCode(symbol(), 'limit', undefined)).toBe('2');
  expect(code(() => timeCode(symbol({ ExpirFlags: '1' }), 'day'))).toBe('timeInForce');
  expect(timeCode(symbol(), 'gtd')).toBe('2');
});

it('levels on the wrong side of a pending price are refused, by name', () => {
  expect(code(() => requireSides('buy', '1.10', { stopLoss: '1.20' }))).toBe('stopLoss');
  expect(code(() => requireSides('sell', '1.10', { stopLoss: '1.00' }))).toBe('stopLoss');
  expect(code(() => requireSides('buy', '1.10', { takeProfit: '1.00' }))).toBe('takeProfit');
  expect(code(() => requireSides('sell', '1.10', { stopLoss: '1.20', takeProfit: '1.00' }))).toBe('none');
  expect(code(() => requireSides('buy', '1.10', { stopLoss: null, takeProfit: '0' }))).toBe('none');
});
