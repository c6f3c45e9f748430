import type { CrossedBound, EquityRow } from '../../contract/equity.ts';
import type { EquityBounds } from '../../contract/slice-keys.ts';
import { formatScaled, plainDecimal, scaledDecimal } from '../../webapi/decimal.ts';
import { Fields, type WireObject } from '../../webapi/fields.ts';

/** More than any money or percentage of MT5 has. */
const PLACES = 8;
const HUNDRED_PERCENT = 100n * 10n ** BigInt(PLACES);

/** What an account's money is beyond. `start`: equity at the day's start. */
export function equityRow(
  login: string,
  account: WireObject,
  start: string | undefined,
  { marginLevelBelow, drawdownAbove }: EquityBounds,
): EquityRow {
  const fields = new Fields(account);
  const text = (name: string): string | null => plainDecimal(fields.text(name) ?? '') ?? null;
  const [equity, margin, marginLevel] = [text('Equity'), text('Margin'), text('MarginLevel')];
  const at = start === undefined ? undefined : scaled(start);
  const stands = scaled(equity);
  const hasStart = at !== undefined && at > 0n && stands !== undefined;
  const lost = hasStart ? at - stands : undefined;

  const crossed: CrossedBound[] = [];
  const level = scaled(marginLevel);
  if (marginLevelBelow !== undefined && level !== undefined && (scaled(margin) ?? 0n) > 0n)
    if (level < (scaled(marginLevelBelow) ?? 0n)) crossed.push('marginLevel');
  if (drawdownAbove !== undefined && hasStart && lost !== undefined)
    if (lost * HUNDRED_PERCENT > (scaled(drawdownAbove) ?? 0n) * at) crossed.push('drawdown');

  return {
    login: Number(login),
    crossed,
    equity,
    margin,
    marginLevel,
    equityPreviousDay: hasStart ? (plainDecimal(start ?? '') ?? null) : null,
    drawdown: lost === undefined ? null : formatScaled(lost, PLACES, fields.integer('CurrencyDigits') ?? 2),
    drawdownPercent: hasStart && lost !== undefined ? formatScaled((lost * 10_000n) / at, 2, 2) : null,
  };
}

const scaled = (text: string | null): bigint | undefined => (text === null ? undefined : scaledDecimal(text, PLACES));
