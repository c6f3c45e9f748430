import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../../container/contract/errors.ts';
import { dailyReport, group, money, user } from '../../../../container/contract/schemas/account.ts';
import { bookItem, quote, quoteStatistics, symbol } from '../../../../container/contract/schemas/market.ts';
import type { AnyObjectDefinition } from '../../../../container/contract/schemas/object.ts';
import { deal, order, position } from '../../../../container/contract/schemas/trade.ts';
import { decodeObject } from '../../../../container/service/broker/decode.ts';
import { parseExactJson, type WireObject } from '../../../../container/webapi/fields.ts';
import { BrokerClock } from '../../../../container/webapi/time.ts';

const clock = new BrokerClock({ zoneMinutes: 120, daylight: 'us' });
const definitions: readonly AnyObjectDefinition[] = [
  user,
  money,
  group,
  dailyReport,
  symbol,
  quote,
  quoteStatistics,
  bookItem,
  order,
  deal,
  position,
];

/** A value as servers send it, as they might, and as they never should. */
const wireValue = fc.oneof(
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  fc.double().map(String),
  fc.constantFrom(
    '',
    '0',
    '0.00',
    '-0',
    '1e400',
    'NaN',
    '18446744073709551615',
    '99999999999999999999999',
    '1.10780',
    '٣',
  ),
  fc.string(),
  fc.jsonValue({ maxDepth: 2 }),
);

describe('the decoder', () => {
  it.each(definitions.map((definition) => ({ title: definition.title, definition })))(
    'makes of anything a $title that its schema allows, or a refusal',
    ({ definition }) => {
      const names = Object.values(definition.entries).flatMap(({ read }) => read.sources);
      fc.assert(
        fc.property(
          fc.dictionary(
            fc.oneof(
              fc.constantFrom(...names),
              fc.constantFrom(...names).map((name) => name.toLowerCase()),
              fc.string(),
            ),
            wireValue,
            {
              maxKeys: 40,
            },
          ),
          (source) => {
            const wire = parseExactJson(JSON.stringify(source)) as WireObject;
            try {
              const decoded = decodeObject(definition, wire, clock);
              const { error } = definition.schema.safeParse(JSON.parse(JSON.stringify(decoded)));
              expect(error?.issues ?? []).toEqual([]);
            } catch (error) {
              expect(error).toBeInstanceOf(BridgeError);
            }
          },
        ),
        { numRuns: 100 },
      );
    },
  );

  it('keeps 64-bit tickets, unknown enumerations and unknown fields', () => {
    const wire = {
      Order: '18446744073709551615',
      Login: '1001',
      Symbol: 'EURUSD',
      Type: '42',
      State: '4',
      VolumeInitialExt: '1',
      TimeSetupMsc: '1784030400123',
      TimeExpiration: '0',
      PositionID: '0',
      ModificationFlags: '33',
      SomethingNew: '7',
    };
    expect(decodeObject(order, wire, clock)).toMatchObject({
      ticket: '18446744073709551615',
      type: null,
      typeCode: 42,
      side: null,
      state: 'filled',
      stateCode: 4,
      volumeInitial: '0.00000001',
      setupAt: '2026-07-14T09:00:00.123Z',
      setupAtMs: 1_784_019_600_123,
      expiresAt: null,
      position: null,
      modifyFlags: 33,
      extra: { SomethingNew: '7' },
    });
  });

  it('never lets a password out', () => {
    const decoded = decodeObject(
      user,
      { Login: '1', Group: 'a', PhonePassword: 'planted', phonepassword: 'planted' },
      clock,
    );
    expect(JSON.stringify(decoded)).not.toContain('planted');
  });

  it('refuses an object that cannot be told apart', () => {
    expect(() => decodeObject(deal, { Login: '1001' }, clock)).toThrow(/Deal\.ticket/);
  });
});
