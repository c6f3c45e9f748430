import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDecimals, formatScaled, plainDecimal, scaledDecimal } from '../../../container/webapi/decimal.ts';
import type { payload } from '../../../container/webapi/fields.ts';
import { Fields, parseExactJson, payloadObjects, payloadScalar } from '../../../container/webapi/fields.ts';
import { parseMask } from '../../../container/contract/masks.ts';
import {
  BrokerClock,
  clockSettings,
  fileTimeToMs,
  measuredSettings,
  parseServerTime,
} from '../../../container/webapi/time.ts';
import { lotsFromVolume, volumeFromLots } from '../../../container/webapi/volume.ts';

describe('decimals', () => {
  it('keep what the broker wrote, without plus, exponent and leading zeros', () => {
    expect(plainDecimal('26000.00')).toBe('26000.00');
    expect(plainDecimal('0.00000')).toBe('0.00000');
    expect(plainDecimal('+1.50')).toBe('1.50');
    expect(plainDecimal('1E-05')).toBe('0.00001');
    expect(plainDecimal('1.5e3')).toBe('1500');
    expect(plainDecimal('-0.00')).toBe('0.00');
    expect(plainDecimal('007.5')).toBe('7.5');
    expect(plainDecimal('99999999999999999999.123456789')).toBe('99999999999999999999.123456789');
    for (const bad of ['', ' ', '1,5', 'NaN', '0x1', '1e999', '--1', '१', '9'.repeat(100)])
      expect(plainDecimal(bad), bad).toBeUndefined();
  });

  it('scale there and back without loss', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }),
        fc.integer({ min: 0, max: 12 }),
        (value, places) => {
          expect(scaledDecimal(formatScaled(value, places, 0), places)).toBe(value);
          expect(scaledDecimal(formatScaled(value, places, 2), Math.max(places, 2))).toBe(
            value * 10n ** BigInt(Math.max(0, 2 - places)),
          );
        },
      ),
    );
  });

  it('add exactly where floats cannot', () => {
    expect(addDecimals('0.1', '0.20')).toBe('0.30');
    expect(addDecimals('9007199254740993', '1')).toBe('9007199254740994');
    expect(addDecimals('7', '8')).toBe('15');
  });
});

describe('volumes', () => {
  it('are lots from either scale', () => {
    expect(lotsFromVolume('100', undefined)).toBe('0.01');
    expect(lotsFromVolume('10000', '100000000')).toBe('1.00');
    expect(lotsFromVolume('0', '1')).toBe('0.00000001');
    expect(lotsFromVolume('100', '0')).toBe('0.01');
    expect(lotsFromVolume('0', '0')).toBe('0.00');
    expect(lotsFromVolume('x', undefined)).toBeUndefined();
    expect(volumeFromLots('0.1')).toEqual({ volume: '1000', volumeExt: '10000000' });
    expect(volumeFromLots('0.00000001')).toEqual({ volume: '0', volumeExt: '1' });
    expect(volumeFromLots('0.000000001')).toBeUndefined();
    expect(volumeFromLots('-1')).toBeUndefined();
  });

  it('survive the way there and back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (units) => {
        const lots = lotsFromVolume(undefined, units.toString()) ?? '';
        expect(volumeFromLots(lots)?.volumeExt).toBe(units.toString());
      }),
    );
  });
});

describe('the broker clock', () => {
  const athens = new BrokerClock({ zoneMinutes: 120, daylight: 'eu' });
  const at = (text: string): number => Date.parse(text);

  it('follows the European calendar', () => {
    expect(athens.offsetMs(at('2026-01-15T12:00:00Z'))).toBe(2 * 3_600_000);
    expect(athens.offsetMs(at('2026-07-15T12:00:00Z'))).toBe(3 * 3_600_000);
    expect(athens.offsetMs(at('2026-03-29T00:59:59Z'))).toBe(2 * 3_600_000);
    expect(athens.offsetMs(at('2026-03-29T01:00:00Z'))).toBe(3 * 3_600_000);
    expect(athens.offsetMs(at('2026-10-25T00:59:59Z'))).toBe(3 * 3_600_000);
    expect(athens.offsetMs(at('2026-10-25T01:00:00Z'))).toBe(2 * 3_600_000);
  });

  it('follows the American calendar', () => {
    const clock = new BrokerClock({ zoneMinutes: 120, daylight: 'us' });
    expect(clock.offsetMs(at('2026-03-08T06:59:59Z'))).toBe(2 * 3_600_000);
    expect(clock.offsetMs(at('2026-03-08T07:00:00Z'))).toBe(3 * 3_600_000);
    expect(clock.offsetMs(at('2026-11-01T05:59:59Z'))).toBe(3 * 3_600_000);
    expect(clock.offsetMs(at('2026-11-01T06:00:00Z'))).toBe(2 * 3_600_000);
  });

  it('goes to server time and back, but for the hour that autumn shows twice', () => {
    for (const daylight of ['none', 'eu', 'us', 'au'] as const)
      for (let utcMs = at('2025-01-01T00:30:00Z'); utcMs < at('2027-01-01'); utcMs += 6 * 3_600_000 + 1) {
        const clock = new BrokerClock({ zoneMinutes: daylight === 'au' ? 600 : 120, daylight });
        const back = clock.toUtcMs(clock.toServerMs(utcMs));
        if (back !== utcMs) expect(utcMs - back).toBe(3_600_000);
      }
    const twice = athens.toServerMs(at('2026-10-25T00:30:00Z'));
    expect(athens.toUtcMs(twice)).toBe(at('2026-10-25T00:30:00Z'));
    expect(athens.toServerMs(at('2026-10-25T01:30:00Z'))).toBe(twice);
  });

  it('learns the calendar from what the clock shows in the weeks that tell', () => {
    const utcMs = at('2026-03-15T12:00:00Z');
    const summer = { offsetMs: 3 * 3_600_000, utcMs };
    const winter = { offsetMs: 2 * 3_600_000, utcMs };
    expect(clockSettings({ zoneMinutes: 120, daylightOn: true }).daylight).toBe('us');
    expect(clockSettings({ zoneMinutes: 120, daylightOn: true, measured: summer }).daylight).toBe('us');
    expect(clockSettings({ zoneMinutes: 120, daylightOn: true, measured: winter }).daylight).toBe('eu');
    expect(clockSettings({ zoneMinutes: 60, daylightOn: true }).daylight).toBe('eu');
    expect(clockSettings({ zoneMinutes: -300, daylightOn: true }).daylight).toBe('us');
    expect(clockSettings({ zoneMinutes: 120, daylightOn: false }).daylight).toBe('none');
    expect(measuredSettings(7_199_000)).toEqual({ zoneMinutes: 120, daylight: 'none' });
  });

  it('reads the forms of time', () => {
    expect(parseServerTime('1572518788 2019.10.31 10:46:28')).toBe(1_572_518_788_000);
    expect(parseServerTime('soon')).toBeUndefined();
    expect(new Date(fileTimeToMs('132302519992466852') ?? 0).toISOString().slice(0, 10)).toBe('2020-04-01');
    expect(fileTimeToMs('1572518788')).toBeUndefined();
  });
});

describe('the field reader', () => {
  it('keeps every number as its source text', () => {
    expect(parseExactJson('{"a":18446744073709551615,"b":[1.10780,1e-5],"c":"x","d":true}')).toEqual({
      a: '18446744073709551615',
      b: ['1.10780', '1e-5'],
      c: 'x',
      d: true,
    });
    fc.assert(
      fc.property(fc.bigInt(), fc.string(), (number, text) => {
        const parsed = parseExactJson(`{"n":${number},"t":${JSON.stringify(text)}}`);
        expect(parsed).toEqual({ n: number.toString(), t: text });
      }),
    );
  });

  it('finds names in any casing and under any alias, and tells what is left', () => {
    const fields = new Fields({ ModificationFlags: '5', TOTAL: '10', Extra: '1' });
    expect(fields.integer('ModifyFlags', 'ModificationFlags')).toBe(5);
    expect(fields.text('Total')).toBe('10');
    expect(fields.rest()).toEqual({ Extra: '1' });
  });

  it('is not led astray by hostile names', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = parseExactJson(JSON.stringify({ retcode: '0 Done', answer: value }));
        const body = parsed as Parameters<typeof payload>[0];
        expect(() => payloadObjects(body).map((object) => new Fields(object).rest())).not.toThrow();
        expect(() => payloadScalar(body, 'Total')).not.toThrow();
      }),
    );
    const rest = new Fields(JSON.parse('{"__proto__":{"polluted":"1"}}')).rest();
    expect(Object.getPrototypeOf(rest)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('takes a payload from answer or from the top level', () => {
    expect(payloadScalar({ retcode: '0', answer: { total: '3' } }, 'Total')).toBe('3');
    expect(payloadScalar({ retcode: '0', Total: '3' }, 'Total')).toBe('3');
    expect(payloadObjects({ retcode: '0', answer: [] })).toEqual([]);
    expect(payloadObjects({ retcode: '13 Not found' })).toEqual([]);
    expect(payloadObjects({ retcode: '0', answer: { Login: '1' } })).toEqual([{ Login: '1' }]);
  });
});

describe('masks', () => {
  it.each([
    ['demo\\*', 'demo\\forex', true],
    ['demo\\*,!demo\\old*', 'demo\\old1', false],
    ['!demo\\old*,demo\\*', 'demo\\old1', false],
    ['*', 'anything', true],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'acb', false],
    ['ab*ba', 'aba', false],
    ['EURUSD', 'EURUSD', true],
    ['EURUSD', 'eurusd', false],
    ['', 'x', false],
  ])('%s on %s', (mask, name, expected) => {
    expect(parseMask(mask).matches(name)).toBe(expected);
  });

  it('take linear time', () => {
    const mask = parseMask(`${'a*'.repeat(200)}b`);
    expect(mask.matches('a'.repeat(20_000))).toBe(false);
  });
});
