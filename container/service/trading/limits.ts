import { BridgeError } from '../../contract/errors.ts';
import type { Caller } from '../../contract/keys.ts';
import { scaledDecimal } from '../../webapi/decimal.ts';

/** Pre-trade limits that an administrator gave the key. Orders per minute are counted by the ledger. */
export function requireWithinLimits(caller: Caller, order: { symbol: string; volumeLots: string }): void {
  const { limits } = caller;
  if (!limits) return;
  if (limits.symbols && !limits.symbols.includes(order.symbol))
    throw new BridgeError('limit_exceeded', {
      detail: `The key may trade ${limits.symbols.join(', ')} only.`,
      field: 'symbol',
      expected: limits.symbols.join(', '),
    });
  if (limits.maxVolumeLots === undefined) return;
  const most = scaledDecimal(limits.maxVolumeLots, 8);
  const asked = scaledDecimal(order.volumeLots, 8);
  if (most !== undefined && asked !== undefined && asked <= most) return;
  throw new BridgeError('limit_exceeded', {
    detail: `The key may trade at most ${limits.maxVolumeLots} lots per order.`,
    field: 'volume',
    expected: `at most ${limits.maxVolumeLots}`,
  });
}
