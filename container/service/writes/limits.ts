import { BridgeError } from '../../contract/errors.ts';
import type { Caller } from '../../contract/keys.ts';
import { scaledDecimal } from '../../webapi/decimal.ts';

/** Pre-trade limits that an administrator gave the key. Orders per minute are counted by the ledger. */

/** @throws BridgeError `limit_exceeded` */
export function requireSymbol({ limits }: Caller, symbol: string): void {
  if (!limits?.symbols || limits.symbols.includes(symbol)) return;
  throw new BridgeError('limit_exceeded', {
    detail: `The key may trade ${limits.symbols.join(', ')} only.`,
    field: 'symbol',
    expected: limits.symbols.join(', '),
  });
}

/** @throws BridgeError `limit_exceeded` */
export function requireVolume({ limits }: Caller, volumeLots: string): void {
  if (limits?.maxVolumeLots === undefined) return;
  const most = scaledDecimal(limits.maxVolumeLots, 8);
  const asked = scaledDecimal(volumeLots, 8);
  if (most !== undefined && asked !== undefined && asked <= most) return;
  throw new BridgeError('limit_exceeded', {
    detail: `The key may trade at most ${limits.maxVolumeLots} lots per order.`,
    field: 'volume',
    expected: `at most ${limits.maxVolumeLots}`,
  });
}
